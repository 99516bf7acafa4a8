/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue between a driver and a device whose requests end on another core: who tells whom, and who sleeps.
 * Each inline names the function of drivers/virtio that it models. What driver and device tell each other they keep in
 * four words, and a store to one of them is seen by the other side when Memory makes it so: unless a barrier waits for
 * it, later than what the same side reads afterwards. The entries of the rings are not modelled.
 *
 * PACKED   VIRTIO_F_RING_PACKED is: no indices, but the flags of descriptors that are made available and used in turn
 * EVENT    VIRTIO_F_EVENT_IDX is negotiated
 * REQUESTS how many the driver makes; RESETS how often it resets the device and starts anew
 * REPLAY   steps are not interrupted, and told: tests/model/replay_queue.c does them to the real code
 */
#define DEPTH 3 /* requests that are out at once */
#define M     8 /* indices count modulo this; PACKED: two laps, of which the second has the other wrap counter */
#define LAP   (M / 2)

/* PACKED: what an event suppression structure says that names no descriptor. */
#define NEVER  14
#define ALWAYS 15
#define AT_FIRST (PACKED -> ALWAYS : 0) /* the driver has cleared the memory */

typedef word {
	byte seen;	/* by the other side */
	byte mine;
	bit waits;
}

word avail, used_event; /* the driver's */
word used, avail_event; /* the device's */

/* struct virtqueue, struct virtio_device */
byte last_avail, in_flight, pushed;
bit live = 1, draining, status, line;
bit lock;
bit notified; /* one of the driver's cores is about to trap; the others go on */

byte added, last_used; /* the driver's indices */
byte made, resets;     /* requests but for those that a reset took back, resets */

#ifdef REPLAY
#define STORE(word, value) word.mine = value; word.seen = word.mine
#define FENCE(one, other)  skip
#define LOCK		   skip
#define UNLOCK		   skip
#define TELL(text)	   printf(text)
#define STATE                                                                                                          \
	printf("state %d %d %d %d %d %d\n", last_avail, in_flight, used.seen, (EVENT -> avail_event.seen : 0), status, line)
#define STEP atomic {
#define DONE ; STATE }
#else
#define STORE(word, value) atomic { word.mine = value; word.waits = 1 }
#define FENCE(one, other)  (!one.waits && !other.waits)
#define LOCK		   atomic { !lock -> lock = 1 }
#define UNLOCK		   lock = 0
#define TELL(text)	   skip
#define STEP
#define DONE
#endif

#define behind(a, b) (((a) + M - (b)) % M)

/* split_wants_interrupt(), packed_wants_interrupt(), and the driver's side of both: @event is among the last @count. */
#if PACKED
#define distance(now, event) (now % LAP + (now / LAP != event / LAP -> LAP : 0) - event % LAP - 1)
#define asks(now, event, count)                                                                                        \
	(event == ALWAYS || (event != NEVER && distance(now, event) >= 0 && distance(now, event) < count))
#else
#define asks(now, event, count) (!EVENT || behind(now, event + 1) < count)
#endif

active proctype Memory()
{
end:	do
	:: atomic { avail.waits -> avail.seen = avail.mine; avail.waits = 0 }
	:: atomic { used_event.waits -> used_event.seen = used_event.mine; used_event.waits = 0 }
	:: atomic { used.waits -> used.seen = used.mine; used.waits = 0 }
	:: atomic { avail_event.waits -> avail_event.seen = avail_event.mine; avail_event.waits = 0 }
	od
}

/* split_pop(), packed_pop() until there is nothing, avail_waiting(), avail_rearm(); with the lock. */
inline take_all()
{
	do
	:: !live || draining -> break
	:: else ->
		waiting = behind(avail.seen, last_avail);
		if
		:: waiting == 0 && (EVENT || PACKED) ->
			STORE(avail_event, (EVENT -> last_avail : ALWAYS));
			FENCE(used, avail_event);
			waiting = behind(avail.seen, last_avail)
		:: else
		fi;
		if
		:: waiting == 0 -> break
		:: else -> last_avail = (last_avail + 1) % M; in_flight++
		fi
	od;
	waiting = 0
}

/* split_push(), packed_push(), virtio_signal(), virtqueue_should_notify(); with the lock. */
inline complete()
{
	assert(live);
	in_flight--;
	pushed++;
	STORE(used, (used.mine + 1) % M);
	FENCE(used, avail_event);
	if
	:: asks(used.mine, used_event.seen, pushed) -> atomic { status = 1; line = 1 }
	:: else
	fi;
	pushed = 0
}

/* virtio_interrupt_ack() */
inline acknowledge()
{
	atomic { status = 0; line = 0 }
}

/* virtio_reset(), and the driver that has to repeat its write until nothing is in flight. */
inline reset()
{
	do
	:: LOCK;
		draining = in_flight != 0;
		if
		:: !draining -> break
		:: else -> UNLOCK; in_flight == 0
		fi
	od;
	assert(in_flight == 0);
	atomic {
		live = 0;
		last_avail = 0;
		status = 0;
		line = 0;
		avail.seen = 0; avail.mine = 0; avail.waits = 0;
		used_event.seen = AT_FIRST; used_event.mine = AT_FIRST; used_event.waits = 0;
		used.seen = 0; used.mine = 0; used.waits = 0;
		avail_event.seen = AT_FIRST; avail_event.mine = AT_FIRST; avail_event.waits = 0;
		notified = 0;
		made = made - behind(added, last_used);
		added = 0;
		last_used = 0;
		live = 1
	}
	UNLOCK
}

/* virtqueue_disable_cb(), which changes nothing in a split queue with EVENT. */
inline mute()
{
#if PACKED
	TELL("mute\n");
	STORE(used_event, NEVER)
#else
	skip
#endif
}

/* The driver as it is in Linux: virtqueue_kick_prepare(), vring_interrupt() with a handler that reaps until it is done. */
proctype Driver()
{
	byte waiting;

end:	do
	:: made < REQUESTS && behind(added, last_used) < DEPTH ->
		STEP
		TELL("add\n");
		made++;
		added = (added + 1) % M;
		STORE(avail, added);
		FENCE(avail, used_event);
		if
		:: asks(added, avail_event.seen, 1) -> /* virtio_queue_notify() */
			TELL("notify\n");
#ifdef REPLAY
			take_all()
#else
			notified = 1
#endif
		:: else
		fi
		DONE
	:: line ->
		STEP
		TELL("interrupt\n");
		LOCK;
		acknowledge();
		UNLOCK;
		mute();
		do
		:: used.seen != last_used -> last_used = (last_used + 1) % M; TELL("reap\n")
		:: used.seen == last_used ->
			TELL("listen\n");
			STORE(used_event, (PACKED && !EVENT -> ALWAYS : last_used));
			FENCE(avail, used_event);
			if
			:: used.seen == last_used -> break
			:: else -> mute()
			fi
		od
		DONE
	:: resets < RESETS ->
		resets++;
		reset()
	od
}

#ifndef REPLAY
active proctype Trap()
{
	byte waiting;

end:	do
	:: atomic { notified -> notified = 0 };
		LOCK;
		take_all();
		UNLOCK
	od
}
#endif

/* The backend, on whichever core its interrupt comes. Nothing else is looked for then: a device may, none has to. */
proctype Backend()
{
end:	do
	:: in_flight > 0 ->
		STEP
		LOCK;
		if
		:: in_flight > 0 -> TELL("complete\n"); complete()
		:: else
		fi;
		UNLOCK
		DONE
	od
}

active proctype Rest()
{
	timeout;
	assert(made == REQUESTS && resets == RESETS);
	assert(last_used == added && in_flight == 0);
	assert(!line && !lock)
}

init {
	atomic {
		used_event.seen = AT_FIRST; used_event.mine = AT_FIRST;
		avail_event.seen = AT_FIRST; avail_event.mine = AT_FIRST;
		run Driver();
		run Backend()
	}
}
