/* SPDX-License-Identifier: MIT */
#include "base/membarrier.h"

#include <linux/membarrier.h>

#include "base/os.h"
#include "base/syscall.h"

static bool available;

bool goad__membarrier_init (void)
{
	available = !goad__env_flag ("GOAD_NO_MEMBARRIER") &&
	            goad__syscall3 (SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) ==
	                0;
	return available;
}

void goad__fence_all_threads (void)
{
	if (available)
		goad__syscall3 (SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	else
		atomic_thread_fence (memory_order_seq_cst);
}
