/* SPDX-License-Identifier: MIT */
/* queue_test.c - a test program: no coroutine of the queue starves */
#include <goad.h>

#include "queue.h"

int main (void)
{
	int err = -1;

	GOAD_ASSERT_NO_STARVATION (2 * GOAD_S, err = goad_main (queue_run, NULL, NULL););
	return err != 0;
}
