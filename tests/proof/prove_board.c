/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's device tree: any tree (trees.h).
 * @sources hyp/board.c hyp/boardram.c
 * @run -DPROPERTY=1 -eva-precision=1 -eva-interprocedural-splits
 * @run -DPROPERTY=32 -eva-precision=1 -eva-interprocedural-splits
 * @argued add_device overlap
 *   A slot and the one before it have no byte in common; Eva compares all slots with all: test_devices of
 *   tests/unit/test_board.c.
 * @plant hyp/board.c s/at.depth > 1 && board->cpu_count < CPUS_MAX/at.depth > 1/
 * @plant hyp/board.c s/length >= BOARD_SEED/length > 0/
 * @plant hyp/board.c s/board->device_count == BOARD_DEVICES_MAX [|][|] //
 */
#include "tests/proof/trees.h"
#include "hyp/config.h"

void main(void)
{
	static struct board board;
	struct config_error error;

	/*@ widen_hints global:"all", 7, 8, 39, 40; */
	board_read(NULL, any(), &board, &error);
	/*@ assert board.cpu_count <= CPUS_MAX && board.device_count <= BOARD_DEVICES_MAX; */
	board_device(&board, (enum board_kind)up_to(BOARD_WAKEUP));
}
