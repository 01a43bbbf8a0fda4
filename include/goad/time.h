/* SPDX-License-Identifier: MIT */
/* goad/time.h - the clock
 *
 *	uint64_t deadline = goad_after (50 * GOAD_MS);
 *	goad_sleep_until (deadline);
 */
#ifndef GOAD_TIME_H
#define GOAD_TIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOAD_US UINT64_C (1000)      /* nanoseconds in a microsecond */
#define GOAD_MS UINT64_C (1000000)   /* in a millisecond             */
#define GOAD_S UINT64_C (1000000000) /* in a second                  */

/* A deadline that never comes. */
#define GOAD_FOREVER UINT64_MAX

/* CLOCK_MONOTONIC in nanoseconds.  Async-signal-safe. */
uint64_t goad_now (void);

/* goad_now () + ns, at most GOAD_FOREVER.  Async-signal-safe. */
uint64_t goad_after (uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_TIME_H */
