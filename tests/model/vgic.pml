/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cores or three, one SPI and an SGI between them: the virtual GIC of hyp/vgic*.c with the races that its locks leave. Each
 * inline names the function it models. What a function does with vgic.lock held is one atomic step, as is what it does
 * to its core's own state; whatever else other cores can see is a step of its own. Barriers are not modelled: steps are
 * seen in the order in which they are made.
 *
 * LRS       list registers of a core: with 1 the two interrupts are in each other's way
 * EDGE      the SPI is edge-triggered; otherwise level-sensitive
 * HW        the SPI is the guest's own, physically: it fires on its target, and is active in the board's distributor
 * CORES     2 unless it says 3
 * SELF      cores send the SGI to themselves, too, so that one core has it from several
 * RAISES, SENDS, WRITES  how often the device raises its wire, cores send the SGI, cores write to the distributor
 * ACTIVE    writes may set and clear the active state, too
 * REPLAY    the steps of each function come together, and are told: tests/model/replay.c does them to the real code
 */
#define SGI 0 /* INTID 1, priority 0x90 */
#define SPI 1 /* INTID 33, priority 0x80: acknowledged while the SGI's handler runs */

#define NONE 9

#ifndef CORES
#define CORES 2
#endif

#define BIT(n)	     (1 << (n))
#define lowest(mask) ((mask) & 1 -> 0 : ((mask) & 2 -> 1 : 2))

typedef core {
	/* vgic_cpu */
	unsigned senders : 3, inbox : 3, sgi_source : 3; /* masks of cores */
	bit recheck, odd, spi_word, taken;
	bit sgi_in_lr, sgi_active, sgi_taken;
	byte source[LRS] /* LR_CPUID */;
	bit used[LRS], irq[LRS], latched[LRS] /* LR_LATCHED */, eoi[LRS] /* lr_eoi */;
	/* hardware */
	bit pending[LRS], acked[LRS], told[LRS] /* LR_EOI */;
	bit kicked, npie, lrenpie;
	byte eoicount;
	bit apr[2]; /* by interrupt */
	/* the guest's handlers, the innermost last */
	byte depth;
	bit handler[2];
	/* of SGIs to it, for what must hold */
	byte due[CORES];     /* by sender: sent, less acknowledged */
	unsigned unseen : 3; /* by sender: sent since the last acknowledge */
	bit claims; /* waits in vgic_claim() */
}

core c[CORES];

/* irq_bank, of the SPI */
bit open, latched, level, running, taken, in_lr, claimed;
byte claimers, owner, target;

/* HW: the SPI in the board's distributor; it is enabled and has its target as it is here. */
bit phys_pending /* latched there */, phys_active;

byte raises, sends, writes;
byte due;      /* EDGE: times that it was made pending and not acknowledged */
bit unseen;    /* EDGE: made pending since it was acknowledged or cleared */
bit off;       /* a write has disabled it and none has open it since */

#define spi_pending  (latched || (level && !EDGE && !HW))
#define spi_ready    (spi_pending && open && !running && !in_lr && !claimed)
#define sgi_ready(x) (c[x].sgi_source && !c[x].sgi_active && !c[x].sgi_in_lr)
#define fires(x)     (HW && open && target == x && !phys_active && (phys_pending || (level && !EDGE)))

#ifdef REPLAY
inline tell_state()
{
	printf("state %d %d %d%d", c[0].kicked, c[1].kicked, phys_pending, phys_active);
	n = 0;
	do
	:: n == LRS -> break
	:: else ->
		printf(" %d%d%d%d", c[0].irq[n] && (c[0].pending[n] || c[0].acked[n] || c[0].told[n]),
		       c[0].pending[n], c[0].acked[n], c[0].told[n]);
		printf(" %d%d%d%d", c[1].irq[n] && (c[1].pending[n] || c[1].acked[n] || c[1].told[n]),
		       c[1].pending[n], c[1].acked[n], c[1].told[n]);
		n++
	od;
	n = 0;
	printf("\n")
}
#define TELL(text, x) printf(text, x)
#define TELL2(text, x, y) printf(text, x, y)
#define TELL_OP(x)    printf("access %d %e\n", x, op)
#define TELL_INTERRUPT(x)                                                                                              \
	if                                                                                                             \
	:: answers /* in the midst of the other core's access: the code does so by itself */                           \
	:: else -> printf("interrupt %d\n", x)                                                                         \
	fi
#define ANSWERS answers
#else
#define TELL(text, x) skip
#define TELL2(text, x, y) skip
#define TELL_OP(x)    skip
#define TELL_INTERRUPT(x) skip
#define ANSWERS 0
#endif

/* Where a core is: in vgic_refresh(), vgic_claim(), vgic_look(), vgic_send_sgi(), vgic_forward_spi(). */
mtype = { guest, refreshes, waits, looks, kicks, posts, forwards };

#ifdef REPLAY
byte busy = NONE; /* the core that does a step; while it waits, the other one may take its kick */
bit answers;
#define in_guest (phase == guest && busy == NONE)
#define kicked(x) (c[x].kicked && phase == guest && (busy == NONE || (c[1 - x].claims && !answers)))
#define first(x)  (!c[x].kicked)
#define last(x)	  (!c[x].kicked && !fires(x))
#define START(x)                                                                                                       \
	if                                                                                                             \
	:: busy == NONE -> busy = x                                                                                    \
	:: else -> answers = 1                                                                                         \
	fi
#define DONE(x)                                                                                                        \
	if                                                                                                             \
	:: busy == x -> tell_state(); busy = NONE                                                                            \
	:: else -> answers = 0                                                                                         \
	fi
#else
#define in_guest  (phase == guest)
#define kicked(x) (c[x].kicked && in_guest)
#define first(x)  true /* each may come before a kick that is under way */
#define last(x)	  (!c[x].kicked)
#define START(x)  skip
#define DONE(x)	  skip
#endif

/* vgic_kick(), of all cores in the mask. */
inline kick(mask)
{
	c[0].kicked = c[0].kicked | ((mask) & 1);
	c[1].kicked = c[1].kicked | ((mask) >> 1 & 1)
#if CORES == 3
	;
	c[2].kicked = c[2].kicked | ((mask) >> 2 & 1)
#endif
}

/* vgic_give_back() */
inline give_back()
{
	phys_pending = phys_pending || latched;
	latched = 0;
	phys_active = 0
}

/* vgic_repeat_spi() */
inline repeat_spi(x)
{
	if
	:: spi_pending ->
		c[target].spi_word = 1;
		if
		:: target != x -> kick(BIT(target))
		:: else
		fi
	:: else
	fi
}

inline leave_lr(x, i)
{
	c[x].used[i] = 0;
	c[x].eoi[i] = 0;
	if
	:: c[x].irq[i] == SPI -> in_lr = 0
	:: else -> c[x].sgi_in_lr = 0
	fi
}

/* release() */
inline release(x, i)
{
	leave_lr(x, i);
	c[x].told[i] = 0;
	if
	:: c[x].irq[i] == SPI -> repeat_spi(x)
	:: else
	fi
}

/* vgic_take() */
inline take(x, which)
{
	if
	:: which == SPI -> running = 1; taken = 1; owner = x
	:: else -> c[x].sgi_active = 1; c[x].sgi_taken = 1
	fi;
	if
	:: !c[x].taken -> c[x].taken = 1; c[x].lrenpie = 1; c[x].odd = 1
	:: else
	fi
}

/* withdraw() */
inline withdraw(x, i)
{
	leave_lr(x, i);
	if
	:: c[x].pending[i] && c[x].latched[i] ->
		if
		:: c[x].irq[i] == SPI -> latched = 1
		:: else -> c[x].sgi_source = c[x].sgi_source | BIT(c[x].source[i])
		fi
	:: else
	fi;
	if
	:: c[x].acked[i] -> take(x, c[x].irq[i])
	:: else
	fi;
	if
	:: c[x].irq[i] == SPI -> c[x].spi_word = 1
	:: else
	fi;
	c[x].pending[i] = 0;
	c[x].acked[i] = 0;
	c[x].told[i] = 0
}

/* insert(), take_pending() */
inline insert(x, i, which)
{
	c[x].irq[i] = which;
	c[x].used[i] = 1;
	c[x].pending[i] = 1;
	c[x].acked[i] = 0;
	if
	:: which == SPI ->
		assert(!in_lr);
		c[x].latched[i] = latched;
		c[x].told[i] = level && !EDGE && !HW;
		c[x].eoi[i] = level && !EDGE && !HW;
		latched = 0;
		in_lr = 1;
		owner = x
	:: else ->
		assert(!c[x].sgi_in_lr);
		c[x].latched[i] = 1;
		c[x].source[i] = lowest(c[x].sgi_source);
		c[x].sgi_source = c[x].sgi_source & ~BIT(c[x].source[i]);
		c[x].told[i] = c[x].sgi_source != 0;
		c[x].eoi[i] = c[x].sgi_source != 0;
		c[x].sgi_in_lr = 1
	fi
}

/* The list register of an interrupt, NONE. */
inline find_lr(x, which)
{
	k = 0;
	do
	:: k == LRS -> k = NONE; break
	:: k < LRS && c[x].used[k] && c[x].irq[k] == which -> break
	:: else -> k++
	od
}

inline find_unused(x)
{
	k = 0;
	do
	:: k == LRS -> k = NONE; break
	:: k < LRS && !c[x].used[k] -> break
	:: else -> k++
	od
}

/* release_one(): k is NONE if there was none. */
inline release_one(x)
{
	k = 0;
	do
	:: k == LRS -> k = NONE; break
	:: k < LRS && c[x].used[k] && !c[x].pending[k] && !c[x].acked[k] && !c[x].told[k] ->
		release(x, k);
		break
	:: else -> k++
	od
}

/* make_room(), of which the SPI goes first; k is NONE if everything in there does. */
inline make_room(x)
{
	k = 0;
	room = NONE;
	do
	:: k == LRS -> break
	:: k < LRS && !c[x].acked[k] && (room == NONE || c[x].irq[k] == SGI) -> room = k; k++
	:: else -> k++
	od;
	if
	:: room == NONE -> /* all are active: the one of the lowest priority */
		k = 0;
		do
		:: k == LRS -> break
		:: k < LRS && (room == NONE || c[x].irq[k] == SGI) -> room = k; k++
		:: else -> k++
		od;
		withdraw(x, room);
		k = room
	:: else ->
		if
		:: c[x].irq[room] == SGI && best == SPI -> withdraw(x, room); k = room
		:: else -> k = NONE
		fi
	fi;
	room = 0
}

/* fill(), consider(): NPIE if something stays out. */
inline fill(x)
{
	do
	:: count = 0;
		best = NONE;
		if
		:: sgi_ready(x) -> count++; best = SGI
		:: else
		fi;
		if
		:: c[x].spi_word && spi_ready && target == x -> count++; best = SPI
		:: c[x].spi_word && !(spi_ready && target == x) -> c[x].spi_word = 0
		:: else
		fi;
		if
		:: count == 0 -> c[x].npie = 0; break
		:: else
		fi;
		find_unused(x);
		if
		:: k == NONE ->
			release_one(x);
			if
			:: k == NONE ->
				make_room(x);
				if
				:: k == NONE -> c[x].npie = 1; break
				:: else -> count++
				fi
			:: else
			fi
		:: else
		fi;
		find_unused(x);
		insert(x, k, best);
		if
		:: count > 1
		:: else -> c[x].spi_word = 0; c[x].npie = 0; break
		fi
	od;
	count = 0;
	best = 0;
	k = 0
}

/* merge(); and vgic.odd where GICD withholds the interrupt. */
inline merge_spi(x, i)
{
	if
	:: HW
	:: else ->
		if
		:: c[x].pending[i] && latched -> c[x].latched[i] = 1; latched = 0
		:: else
		fi;
		c[x].told[i] = spi_pending;
		c[x].eoi[i] = spi_pending
	fi;
	if
	:: !open -> c[x].odd = 1
	:: else
	fi
}

inline merge_sgi(x, i)
{
	if
	:: c[x].pending[i] -> c[x].sgi_source = c[x].sgi_source & ~BIT(c[x].source[i])
	:: else
	fi;
	c[x].told[i] = c[x].sgi_source != 0;
	c[x].eoi[i] = c[x].sgi_source != 0
}

/* reconsider() */
inline reconsider(x, i)
{
	if
	:: !c[x].pending[i] && !c[x].acked[i] -> release(x, i)
	:: (c[x].pending[i] || c[x].acked[i]) && c[x].irq[i] == SPI ->
		if
		:: claimed || (c[x].pending[i] && !(open && (c[x].latched[i] || spi_pending))) -> withdraw(x, i)
		:: else -> merge_spi(x, i)
		fi
	:: else -> merge_sgi(x, i)
	fi
}

/* vgic_complete_taken(), end_taken(): what runs no more first, the SPI before the SGI. */
#define ours	 (taken && owner == x)
#define ends_spi (ours && !c[x].apr[SPI] && running)
#define ends_sgi (c[x].sgi_taken && !c[x].apr[SGI] && c[x].sgi_active)
#define stale_spi (ours && !c[x].apr[SPI] && !running)
#define stale_sgi (c[x].sgi_taken && !c[x].apr[SGI] && !c[x].sgi_active)
inline end_spi(x)
{
	taken = 0;
	if
	:: HW && running -> give_back()
	:: else
	fi;
	running = 0;
	repeat_spi(x)
}

inline end_sgi(x)
{
	c[x].sgi_taken = 0;
	c[x].sgi_active = 0
}

inline complete_taken(x)
{
	count = c[x].eoicount;
	c[x].eoicount = 0;
	do
	:: ends_spi && count > 0 -> end_spi(x); count--
	:: !ends_spi && ends_sgi && count > 0 -> end_sgi(x); count--
	:: !(count > 0 && (ends_spi || ends_sgi)) && stale_spi -> end_spi(x); count = (count > 0 -> count - 1 : 0)
	:: !(count > 0 && (ends_spi || ends_sgi)) && !stale_spi && stale_sgi ->
		end_sgi(x); count = (count > 0 -> count - 1 : 0)
	:: count > 0 && !ends_spi && !ends_sgi && !stale_spi && !stale_sgi && ours -> end_spi(x); count--
	:: count > 0 && !ends_spi && !ends_sgi && !stale_spi && !stale_sgi && !ours && c[x].sgi_taken ->
		end_sgi(x); count--
	:: else -> break
	od;
	count = 0;
	c[x].taken = ours || c[x].sgi_taken
}

/* refresh_all(), reconsider_all(), refresh_shared(). */
inline refresh_all(x)
{
	n = 0;
	do
	:: n == LRS -> break
	:: n < LRS ->
		if
		:: c[x].used[n] && c[x].eoi[n] && c[x].told[n] && !c[x].pending[n] && !c[x].acked[n] -> release(x, n)
		:: else
		fi;
		n++
	od;
	if
	:: c[x].taken -> complete_taken(x)
	:: else
	fi;
	if
	:: c[x].recheck || c[x].odd || (c[x].sgi_source && c[x].sgi_in_lr) ->
		c[x].recheck = 0;
		c[x].odd = 0;
		n = 0;
		do
		:: n == LRS -> break
		:: n < LRS ->
			if
			:: c[x].used[n] -> reconsider(x, n)
			:: else
			fi;
			n++
		od
	:: else
	fi;
	n = 0;
	fill(x);
	c[x].lrenpie = c[x].taken;
	c[x].odd = c[x].odd || c[x].npie || c[x].lrenpie
}

/* is_simple(), vgic_pend_again(): @again is 1 if it was done. */
inline pend_again_spi(x)
{
	find_lr(x, SPI);
	again = 0;
	if
	:: in_lr && !latched && owner == x && !c[x].odd && !c[x].told[k] && !c[x].acked[k] ->
		c[x].latched[k] = EDGE || (c[x].pending[k] && c[x].latched[k]);
		c[x].pending[k] = 1;
		c[x].told[k] = !EDGE;
		c[x].eoi[k] = !EDGE;
		again = 1
	:: else
	fi;
	k = 0
}

/* pend_sgi(): @again as there. */
inline pend_sgi(x, sender)
{
	find_lr(x, SGI);
	again = 0;
	if
	:: c[x].sgi_in_lr && !c[x].sgi_source && !c[x].odd && !c[x].told[k] && !c[x].acked[k] &&
	   (!c[x].pending[k] || c[x].source[k] == sender) ->
		c[x].latched[k] = 1;
		c[x].pending[k] = 1;
		c[x].source[k] = sender;
		again = 1
	:: else -> c[x].sgi_source = c[x].sgi_source | BIT(sender)
	fi;
	k = 0
}

#define shared(x) (c[x].spi_word || c[x].recheck || c[x].odd || c[x].eoi[0] || c[x].eoi[LRS - 1])

/* vgic_open_inbox(): what the first of the senders left. */
inline open_inbox(x)
{
	best = lowest(from);
	from = from & ~BIT(best);
	if
	:: c[x].inbox & BIT(best) -> c[x].inbox = c[x].inbox & ~BIT(best); pend_sgi(x, best)
	:: else
	fi;
	again = 0;
	best = 0
}

/* The rest of vgic_refresh(), after it looked for what is shared and found @all; has_room(). */
inline refresh_it(x)
{
	if
	:: !all && sgi_ready(x) ->
		find_unused(x);
		if
		:: k == NONE -> release_one(x)
		:: else
		fi;
		if
		:: k == NONE -> all = 1
		:: else -> find_unused(x); insert(x, k, SGI)
		fi
	:: !all && c[x].sgi_source && c[x].sgi_in_lr -> all = 1
	:: else
	fi;
	k = 0;
	if
	:: all -> refresh_all(x)
	:: else
	fi;
	all = 0
}

/* affected_cores(): in @look. vgic.lock held. */
inline affected()
{
	look = 0;
	if
	:: in_lr -> c[owner].recheck = 1; look = BIT(owner)
	:: else
	fi;
	if
	:: spi_ready -> c[target].spi_word = 1; look = look | BIT(target)
	:: else
	fi
}

/* vgic_end(): nothing is looked for if nothing changed for a list register. */
inline end_change(x)
{
	if
	:: changed -> affected(); phase = looks
	:: else -> phase = guest; DONE(x)
	fi;
	changed = 0
}

/* vgic_set_line(), and vgic_end() up to the lock's release: what is left is vgic_look(). */
inline wire(x, value)
{
	changed = 0;
	if
	:: level == value
	:: HW && level != value -> level = value; phys_pending = phys_pending || (EDGE && value);
		due = due + (EDGE && value); unseen = unseen || (EDGE && value)
	:: !HW && level != value && value == 0 ->
		level = 0;
		find_lr(x, SPI);
		if /* vgic_wire_fell() */
		:: EDGE || !in_lr
		:: !EDGE && in_lr && !(!latched && owner == x && !c[x].odd && !c[x].pending[k]) -> changed = 1
		:: else -> c[x].told[k] = 0; c[x].eoi[k] = 0
		fi;
		k = 0
	:: else ->
		level = 1;
		due = due + EDGE;
		unseen = EDGE;
		pend_again_spi(x);
		if
		:: again
		:: else -> changed = 1; latched = latched || EDGE
		fi;
		again = 0
	fi;
	end_change(x)
}

/* vgic_withdraw() of the SPI. */
inline withdraw_own(x)
{
	find_lr(x, SPI);
	if
	:: k != NONE -> withdraw(x, k)
	:: else
	fi;
	k = 0
}

/*
 * vgic_claim(), by a core that holds the lock. Where the SPI is in the other core's list register, it waits with the lock
 * released, and answers the other's own claim meanwhile.
 */
inline claim(x)
{
	if
	:: in_lr -> withdraw_own(x)
	:: else
	fi;
	if
	:: in_lr ->
		claimers++;
		claimed = 1;
		c[x].claims = 1;
		affected();
		kick(look & ~BIT(x));
		look = 0
	:: else
	fi
}

inline claimed_it(x)
{
	if
	:: c[x].claims ->
		c[x].claims = 0;
		claimers--;
		if
		:: claimers == 0 -> claimed = 0
		:: else
		fi
	:: else
	fi
}

/* write_set_pending(), with vgic_pend_again(LR_LATCHED). */
inline pend_set(x)
{
	find_lr(x, SPI);
	if
	:: in_lr && !latched && owner == x && !c[x].odd && !c[x].told[k] && !c[x].acked[k] ->
		c[x].latched[k] = 1;
		c[x].pending[k] = 1;
		changed = 0
	:: else -> latched = 1
	fi;
	k = 0
}

/* Accesses to the distributor, by the names of vgicd.c's functions: what each does before its claim, and after. */
mtype = { write_clear_enable, write_set_enable, write_target, write_set_pending, write_clear_pending, read_pending,
	  write_set_active, write_clear_active };

inline choose(x)
{
	if
	:: open -> op = write_clear_enable; open = 0
	:: !open -> op = write_set_enable
	:: op = write_target
	:: op = write_set_pending
	:: op = write_clear_pending
	:: in_lr -> op = read_pending
#ifdef ACTIVE
	:: op = write_set_active
	:: op = write_clear_active
#endif
	fi;
	TELL_OP(x);
	if
	:: op != write_set_enable && (HW || op != write_set_pending) -> claim(x)
	:: else
	fi
}

/* target_physical() */
inline target_physical()
{
	if
	:: HW && !running -> give_back()
	:: else
	fi
}

/* vgic_forward_spi(), forward_again(); with the lock. */
inline forward_spi(x)
{
	find_lr(x, SPI);
	again = 0;
	if
	:: in_lr && owner == x && !c[x].pending[k] && !c[x].acked[k] ->
		if
		:: c[x].odd || claimed -> release(x, k)
		:: else -> c[x].pending[k] = 1; again = 1
		fi
	:: else
	fi;
	if
	:: again
	:: !again && (in_lr || running || latched) -> phys_pending = 1
	:: else ->
		latched = 1;
		c[x].spi_word = 1;
		if
		:: target != x -> give_back()
		:: else
		fi
	fi;
	again = 0;
	k = 0
}

inline change(x)
{
	claimed_it(x);
	changed = 1;
	if
	:: op == write_clear_enable -> off = !open
	:: op == write_set_enable -> open = 1; off = 0
	:: op == write_target -> target = (target + 1) % CORES; target_physical()
	:: op == write_set_pending ->
		due = due + EDGE;
		unseen = EDGE;
		if
		:: HW -> phys_pending = phys_pending || !latched
		:: else -> pend_set(x)
		fi
	:: op == write_clear_pending ->
		phys_pending = 0;
		phys_active = phys_active && !latched;
		latched = 0;
		unseen = 0
	:: op == write_set_active -> running = 1
	:: op == write_clear_active ->
		if
		:: HW && running -> give_back()
		:: else
		fi;
		running = 0
	:: else
	fi;
	end_change(x);
	op = 0
}

/* What the hardware does: IHI 0048B 5.3.3, GICV_IAR, GICV_EOIR. */
#define ended(x, i)    (c[x].told[i] && !c[x].pending[i] && !c[x].acked[i])
#define maintenance(x)                                                                                                 \
	(ended(x, 0) || ended(x, LRS - 1) || (c[x].lrenpie && c[x].eoicount > 0) ||                                    \
	 (c[x].npie && !c[x].pending[0] && !c[x].pending[LRS - 1]))
#define offers(x, which)                                                                                               \
	((c[x].pending[0] && c[x].irq[0] == which) || (c[x].pending[LRS - 1] && c[x].irq[LRS - 1] == which))
#define runs_spi(x)    (c[x].depth > 0 && c[x].handler[c[x].depth - 1] == SPI)
#define takes_spi(x)   (offers(x, SPI) && !c[x].apr[SPI])
#define takes_sgi(x)   (offers(x, SGI) && !takes_spi(x) && !c[x].apr[SPI] && !c[x].apr[SGI])

#define in_spi(y) (c[y].depth > 0 && (c[y].handler[0] == SPI || (c[y].depth > 1 && c[y].handler[1] == SPI)))
inline acknowledge(x, which)
{
	find_lr(x, which);
	TELL2("acknowledge %d %d\n", x, (which == SPI -> 33 : 1 + 1024 * c[x].source[k]));
	c[x].pending[k] = 0;
	c[x].acked[k] = 1;
	c[x].apr[which] = 1;
	c[x].handler[c[x].depth] = which;
	c[x].depth++;
	if
	:: which == SPI ->
		assert(target == x);
		assert(!off);
#ifndef ACTIVE
		assert(x == 0 || !in_spi(0));
		assert(x == 1 || !in_spi(1));
		assert(x == CORES - 1 || !in_spi(CORES - 1));
#endif
		assert(!EDGE || due > 0);
		due = due - EDGE;
		unseen = 0
	:: else ->
		assert(c[x].due[c[x].source[k]] > 0);
		c[x].due[c[x].source[k]]--;
		c[x].unseen = c[x].unseen & ~BIT(c[x].source[k])
	fi;
	k = 0
}

inline end_of_interrupt(x)
{
	c[x].depth--;
	find_lr(x, c[x].handler[c[x].depth]);
	if
	:: k != NONE && c[x].acked[k] ->
		c[x].acked[k] = 0;
		phys_active = phys_active && c[x].irq[k] != SPI
	:: else -> c[x].eoicount++
	fi;
	if
	:: c[x].apr[SPI] -> c[x].apr[SPI] = 0
	:: else -> c[x].apr[SGI] = 0
	fi;
	c[x].handler[c[x].depth] = 0;
	k = 0
}

/* vgic_send_sgi(), what comes before its sender's bit. */
inline send(x)
{
	if
	:: x != 0 -> to = 0
	:: x != 1 -> to = 1
#if CORES == 3
	:: x != 2 -> to = 2
#endif
#ifdef SELF
	:: to = x
#endif
	fi;
	TELL2("send %d %d\n", x, to);
	c[to].due[x]++;
	c[to].unseen = c[to].unseen | BIT(x);
	look = BIT(to);
	if
	:: to != x -> c[to].inbox = c[to].inbox | BIT(x); phase = posts
	:: else ->
		pend_sgi(x, to);
		to = 0;
		if
		:: again -> look = 0; DONE(x)
		:: else -> phase = looks
		fi;
		again = 0
	fi
}

proctype Core(byte x)
{
	byte k, n, count, best, room, to;
	unsigned look : 3, from : 3; /* masks of cores */
	bit again, changed, all;
	mtype op, phase = guest, back = guest;

end:	do
	:: atomic { kicked(x) -> START(x); TELL_INTERRUPT(x); c[x].kicked = 0; phase = refreshes }
	:: atomic { in_guest && first(x) && fires(x) ->
			START(x); TELL_INTERRUPT(x); phys_active = 1; phys_pending = 0; phase = forwards }
	:: atomic { phase == forwards -> forward_spi(x); phase = refreshes }
	:: atomic { in_guest && last(x) && maintenance(x) -> START(x); TELL_INTERRUPT(x); phase = refreshes }
	:: atomic { in_guest && takes_spi(x) -> START(x); acknowledge(x, SPI); DONE(x) }
	:: atomic { in_guest && takes_sgi(x) -> START(x); acknowledge(x, SGI); DONE(x) }
	:: atomic { in_guest && c[x].depth > 0 -> START(x); TELL("end %d\n", x); end_of_interrupt(x); DONE(x) }
	:: atomic { in_guest && raises < RAISES && !level ->
			START(x); TELL("raise %d\n", x); raises++; wire(x, 1) }
	:: atomic { in_guest && level && (EDGE || runs_spi(x)) ->
			START(x); TELL("lower %d\n", x); wire(x, 0) }
	:: atomic { in_guest && sends < SENDS -> START(x); sends++; send(x) }
	:: atomic { phase == posts -> c[to].senders = c[to].senders | BIT(x); to = 0; phase = looks }
	:: atomic { in_guest && writes < WRITES -> START(x);
			writes++;
			choose(x);
			if
			:: c[x].claims -> phase = waits
			:: else -> change(x)
			fi }

	/* vgic_claim() */
	:: phase == waits && in_lr && c[x].recheck -> atomic { phase = refreshes; back = waits }
	:: atomic { phase == waits && !in_lr && !ANSWERS -> change(x) }

	/* vgic_look() */
	:: atomic { phase == looks ->
			if
			:: (look & BIT(x)) || c[x].taken -> phase = refreshes; back = kicks
			:: else -> phase = kicks
			fi }
	:: atomic { phase == kicks -> kick(look & ~BIT(x)); look = 0; phase = guest; DONE(x) }

	/* vgic_refresh() */
	:: phase == refreshes ->
		if
		:: c[x].senders ->
			atomic { from = c[x].senders; c[x].senders = 0 };
			do
			:: from -> atomic { open_inbox(x) }
			:: else -> break
			od
		:: else
		fi;
		all = shared(x);
		atomic {
			refresh_it(x);
			phase = back;
			back = guest;
			if
			:: phase == guest -> DONE(x)
			:: else
			fi
		}
	od
}

inline rests(x)
{
	assert(!c[x].claims && !c[x].unseen && !c[x].inbox && !c[x].sgi_source);
#ifndef ACTIVE /* where another core deactivated what ran, its record goes at the next look */
	assert(!c[x].taken)
#endif
}

/* All have come to rest: nothing is lost, nobody waits. */
active proctype Rest()
{
	timeout;
	assert(!spi_ready);
#ifndef ACTIVE
	assert(!(unseen && open));
	assert(!phys_active || latched); /* what is not ended here can't fire there */
#endif
	assert(!claimed && claimers == 0);
	rests(0);
	rests(1);
#if CORES == 3
	rests(2)
#endif
}

init {
	atomic {
		open = 1;
		run Core(0);
		run Core(1);
#if CORES == 3
		run Core(2)
#endif
	}
}
