/* SPDX-License-Identifier: BSD-2-Clause */
/* bivy's image: what is code, constant and writable has pages of its own. Everything that changes is .bss. */
#include "hyp/layout.h"

OUTPUT_ARCH(arm)
ENTRY(_start)

SECTIONS
{
	. = HYP_VA;
	_image_start = .;
	.text : {
		*(.text.head)
		*(.text .text.*)
		*(.glue_7 .glue_7t .vfp11_veneer .v4_bx)
	}
	/* Constants in the last page of code may be executed there, but not written: that is a page less. */
	_text_end = ALIGN(PAGE_SIZE);
	.rodata : {
		*(.rodata .rodata.*)
		. = ALIGN(8);
	}
	_image_file_end = .;
	_image_file_size = _image_file_end - _image_start;
	.data : { *(.data .data.*) }
	.got : { *(.got .got.*) }
	. = ALIGN(PAGE_SIZE);
	_rodata_end = .;
	.bss (NOLOAD) : {
		_bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(PAGE_SIZE);
		_bss_end = .;
	}
	.stacks (NOLOAD) : {
		_stacks = .;
		. += STACK_COUNT * STACK_SLOT;
	}
	. = ALIGN(PAGE_SIZE);
	_image_end = .;

	/DISCARD/ : { *(.ARM.exidx* .ARM.extab* .note.* .comment .init .fini .init_array .fini_array .eh_frame .iplt .rel.iplt .igot.plt) }
}

ASSERT(SIZEOF(.data) == 0, "writable data with an initial value: the image could not be copied after it ran")
ASSERT(SIZEOF(.got) == 0, "code that runs before the MMU must not need a GOT")
ASSERT(_image_end - _image_start <= SHOWN_PAGE, "bivy does not fit in the RAM that it keeps")
