/* SPDX-License-Identifier: MIT */
/* weights.c - CPU by weight: three endless loops on one P, of weight 100, 100 and 300
 *
 *	cc weights.c $(pkg-config --cflags --libs goad)
 *	./a.out
 *
 * After half a second each says what share it got: about 20%, 20% and 60%. */
#include <goad.h>
#include <stdatomic.h>
#include <stdio.h>

enum { HOGS = 3 };

static atomic_bool stop;

static void hog (void *arg)
{
	(void) arg;
	while (!atomic_load_explicit (&stop, memory_order_relaxed))
		;
}

static void first (void *arg)
{
	static const unsigned weight[HOGS] = { 100, 100, 300 };
	goad_task_t *task[HOGS];
	uint64_t got[HOGS], sum = 0;

	(void) arg;
	for (int i = 0; i < HOGS; i++) {
		goad_attr_t attr = GOAD_ATTR_INIT;

		attr.weight = weight[i];
		if (goad_spawn (&task[i], &attr, hog, NULL) < 0)
			return;
	}
	goad_sleep (500 * GOAD_MS);
	for (int i = 0; i < HOGS; i++) {
		goad_task_stats_t ts;

		goad_task_stats (task[i], &ts);
		sum += got[i] = ts.cpu_ns;
	}
	atomic_store (&stop, 1);
	for (int i = 0; i < HOGS; i++) {
		goad_join (task[i]);
		printf ("weight %u: %.1f%%\n", weight[i], 100.0 * (double) got[i] / (double) sum);
	}
}

int main (void)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	if (goad_config_init (&cfg) < 0)
		return 2;
	cfg.procs = 1;
	return goad_main (first, NULL, &cfg) < 0;
}
