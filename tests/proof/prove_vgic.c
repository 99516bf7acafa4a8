/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's GIC, by induction: from any state that keeps invariant(), whatever the list registers and the rest of
 * the hardware say, each way in leaves such a state. Other cores make any other one of what they share whenever the
 * lock is taken. vgic_refresh() is a way in like the others: where they call it, any such state comes back.
 * @sources +hyp/vgic.c +hyp/vgic_lr.c +hyp/vgic_taken.c +hyp/vgicd.c
 * @run -DWORDS=1 -DCORES=1 -DLRS=1 -eva-precision 0 -eva-slevel-function=vgic_refresh:20,has_room:9,fill:9,release_one:9,make_room:99 -eva-split-return auto -eva-ilevel=64 -eva-plevel=2000 -eva-auto-loop-unroll=64 -eva-widening-delay=10 -eva-domains cvalue,bitwise
 * @run -DWORDS=2 -DCORES=2 -DLRS=4 -eva-precision 0 -eva-slevel-function=vgic_refresh:20,has_room:9,fill:9,release_one:9,make_room:99 -eva-split-return auto -eva-ilevel=64 -eva-plevel=2000 -eva-auto-loop-unroll=64 -eva-widening-delay=10 -eva-domains cvalue,bitwise
 * @split hyp/vgic.c bank==&vgic.cpu[self].private vgic_begin(bank);
 * @split hyp/vgicd.c bank==&vgic.cpu[self].private vgic_begin(bank);
 * @split hyp/vgicd.c bank==&vgic.cpu[self].private return bank == NULL
 * @split hyp/vgic_lr.c bank==&vgic.cpu[cpu].private bank->in_lr &= ~bit;
 * @split hyp/vgic_lr.c bank==&vgic.cpu[cpu].private const bool open =
 * @split hyp/vgic_lr.c vc->lr_used insert(cpu,
 * @split hyp/vgic_lr.c again==0 if ((ready | again) == 0)
 * @split hyp/vgic_lr.c worst==&worst_active if (*worst ==
 * @split hyp/vgic_lr.c worst_pending==16 unsigned int *worst =
 * @argued take_pending precondition_of_proof_count
 * @argued proof_count precondition
 *   A latched SGI has a source: pend_sgi(), write_sgi_pending(), withdraw(), merge() and take_pending() change both
 *   together. Seen by test_vgic_random, which compares all of it with a GIC, and fuzz_vgic with the sanitizers.
 * @argued vgic_claim precondition_of_proof_unlock
 * @argued proof_unlock precondition
 *   A private interrupt is in its own core's list registers alone, so vgic_withdraw() takes all of them out and nothing
 *   is to be waited for. Seen by test_vgic_random and fuzz_vgic, whose lock (vgic_lock.h) must be held to be released.
 * @plant hyp/vgicd.c s/0x07c, 2, read_group/0x0fc, 2, read_group/
 * @plant hyp/vgicd.c s/offset < 0x50 [?] 0 : //
 * @plant hyp/vgicd.c s/spin_unlock.&vgic.lock.;//
 * @plant hyp/vgic.c s/word >= vgic.words\) \{/word > vgic.words) {/
 * @plant hyp/vgic.c s/\(1u << \(vgic.words - 1\)\) - 1/~0u >> (33 - vgic.words)/
 * @plant hyp/vgic_lr.c s/lr_used == \(1u << vgic.lr_count\) - 1/lr_used == 1u << vgic.lr_count/
 * @plant hyp/vgic_taken.c s/\(priority & ~0u << low\) >> 3/priority \& ~0u << low/
 */
#include "drivers/lock.h"

static unsigned int self;
static void interfere(void);
#undef spin_lock
#define spin_lock(lock) (proof_lock((lock)->owner), (lock)->owner = 1, interfere())
#define vgic_refresh    refreshed
#include "hyp/vgic.c"
#include "hyp/vgic_taken.c"
#include "hyp/vgicd.c"
#undef vgic_refresh

void vgic_refresh(unsigned int cpu);

#include "hyp/vgic_lr.c"

#define INTIDS (32u * WORDS)

static bool assumed;

unsigned int cpu_self(void)
{
	return self;
}

/*@ requires i < LRS;
    assigns \nothing; */
void gich_write_lr(unsigned int i, uint32_t value);
/*@ requires i < LRS;
    assigns \nothing; */
void gich_clear_lr(unsigned int i);
/*@ requires i < LRS;
    assigns \result \from \nothing; */
uint32_t gich_read_lr(unsigned int i);
/*@ assigns \result \from \nothing; */
uint32_t gich_empty(void);
/*@ assigns \result \from \nothing; */
uint32_t gich_ended(void);
/*@ assigns \nothing; */
void gich_write_hcr(uint32_t value);
/*@ assigns \result \from \nothing; */
uint32_t gich_read_hcr(void);
/*@ assigns \result \from \nothing; */
uint32_t gich_read_vmcr(void);
/*@ assigns \result \from \nothing; */
uint32_t gich_read_apr(void);
/*@ assigns \nothing; */
void gich_reset(void);
/*@ requires iar < 32;
    assigns \nothing; */
void gicc_deactivate(uint32_t iar);
/*@ assigns \nothing; */
void gic_kick(uint32_t targets);
/*@ requires word < WORDS;
    assigns \nothing; */
void gic_enable(uint32_t word, uint32_t mask, bool enable);
/*@ requires word < WORDS;
    assigns \nothing; */
void gic_pend(uint32_t word, uint32_t mask, bool pending);
/*@ requires word < WORDS;
    assigns \result \from \nothing; */
uint32_t gic_pending(uint32_t word);
/*@ requires word < WORDS;
    assigns \nothing; */
void gic_deactivate(uint32_t word, uint32_t mask);
/*@ requires word < WORDS;
    assigns \nothing; */
void gic_configure(uint32_t word, uint32_t mask, uint32_t edge);
/*@ requires intid < INTIDS;
    assigns \nothing; */
void gic_target(uint32_t intid, uint32_t cores);
/*@ assigns \nothing; */
void vgic_trap_dir(void);

/* Where the invariant is assumed, nothing more is looked at; where it is to be shown, an alarm. */
/*@ requires kept: assumption == 1;
    assigns \nothing;
    ensures \false; */
void broken(bool assumption);

#define HOLDS(condition)                                                                           \
	if (!(condition)) {                                                                        \
		broken(assumed);                                                                   \
	}

static void bank_invariant(const struct irq_bank *bank, uint32_t word)
{
	HOLDS(bank->word == word);
	for (unsigned int n = 0; n < 32; n++) {
		HOLDS(bank->owner[n] < CORES);
		HOLDS(bank->list[n] < LRS);
		HOLDS(bank->running[n] < 32);
	}
}

static void cpu_invariant(const struct vgic_cpu *vc)
{
	HOLDS(vc->lr_used < 1u << LRS);
	HOLDS(vc->lr_eoi < 1u << LRS);
	HOLDS(vc->spi_words < 1u << (WORDS - 1));
	HOLDS(vc->inbox_senders < 1u << CORES);
	for (unsigned int i = 0; i < LRS; i++) {
		HOLDS((vc->lr[i] & (LR_INTID & ~(INTIDS - 1))) == 0);
	}
	for (unsigned int i = 0; i < CORES; i++) {
		HOLDS(vc->inbox[i] < 1u << 16);
	}
	bank_invariant(&vc->private, 0);
}

/* What all of the code relies on, and each way in leaves. */
static void invariant(void)
{
	for (unsigned int i = 0; i < CORES; i++) {
		cpu_invariant(&vgic.cpu[i]);
	}
	for (unsigned int word = 1; word < WORDS; word++) {
		bank_invariant(&vgic.spi[word - 1], word);
	}
}

static void check(void)
{
	/*@ assert free: vgic.lock.owner == 0; */
	assumed = false;
	invariant();
}

static void any_bank(struct irq_bank *bank)
{
	Frama_C_make_unknown((char *)bank, sizeof(*bank));
}

static void assume(void)
{
	assumed = true;
	invariant();
	assumed = false;
}

/* What is not the core's own. */
static void any_shared(void)
{
	vgic.ctlr = any();
	vgic.forward0 = any();
	vgic.forward1 = any();
	for (unsigned int word = 1; word < WORDS; word++) {
		any_bank(&vgic.spi[word - 1]);
	}
	for (unsigned int i = 0; i < CORES; i++) {
		vgic.cpu[i].spi_words = any();
		vgic.cpu[i].recheck = any();
		vgic.cpu[i].inbox_senders = any();
		for (unsigned int k = 0; k < CORES; k++) {
			vgic.cpu[i].inbox[k] = any();
		}
	}
}

static void any_cpu(struct vgic_cpu *vc)
{
	vc->lr_used = any();
	vc->lr_eoi = any();
	vc->hcr = any();
	vc->odd = any();
	vc->runs = maybe();
	vc->taken = any();
	for (unsigned int i = 0; i < LRS; i++) {
		vc->lr[i] = any() & ~(LR_INTID & ~(INTIDS - 1));
	}
	Frama_C_make_unknown((char *)vc->sgi_source, sizeof(vc->sgi_source));
	any_bank(&vc->private);
}

static void interfere(void)
{
	any_shared();
	assume();
}

static void arbitrary(void)
{
	any_shared();
	for (unsigned int i = 0; i < CORES; i++) {
		any_cpu(&vgic.cpu[i]);
	}
	assume();
}

void refreshed(unsigned int cpu)
{
	/*@ assert own: cpu == self; */
	check();
	arbitrary();
}

static void access(void)
{
	const uint32_t block = up_to(31), offset = up_to(127), size = maybe() ? 4 : maybe() ? 2 : 1;

	/*@ split block; */
	/*@ split size; */
	if (maybe()) {
		vgicd_ops.read(NULL, block * 128 + offset / size * size, size);
	} else {
		vgicd_ops.write(NULL, block * 128 + offset / size * size, size, any());
	}
}

static void step(void)
{
	const uint32_t word = up_to(WORDS); /* one too many */

	switch (up_to(9)) {
	case 0:
		access();
		break;
	case 1:
		vgic_set_line(any(), maybe());
		break;
	case 2:
		vgic_refresh(self);
		break;
	case 3:
		vgic_forward(self, 16 + up_to(15));
		break;
	case 4:
		/*@ split word; */
		vgic_forward_spi(self, word * 32 + up_to(31));
		break;
	case 5:
		vgic_dir_ops.read(NULL, up_to(0xfff), 4);
		vgic_dir_ops.write(NULL, up_to(0xfff), up_to(4), any());
		break;
	case 6:
		vgic_pending(self);
		vgic_holds_physical(self);
		break;
	case 7:
		vgic_leave_cpu(self);
		break;
	case 8:
		/*@ split word; */
		if (word != 0 && word < WORDS) {
			vgic_own_spi(word * 32 + up_to(31));
		}
		break;
	default:
		vgic_enter_cpu(self);
	}
}

void main(void)
{
	vgic_reset(WORDS, CORES, LRS);
	check();
	Frama_C_make_unknown((char *)vgic.gic_mask, sizeof(vgic.gic_mask));
	arbitrary();
	self = up_to(CORES - 1);
	/*@ split self; */
	step();
	check();
}
