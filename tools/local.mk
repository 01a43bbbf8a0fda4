# SPDX-License-Identifier: MIT
# The program `goad`: uses the public headers only.  What needs a library that may be missing
# asks HAVE_CAIRO, HAVE_JANSSON, HAVE_LUA, HAVE_CRYPTO, HAVE_ZLIB in the source.
if BUILD_PROGRAM
bin_PROGRAMS += %D%/goad
endif

%C%_goad_CPPFLAGS = -include config.h -D_GNU_SOURCE -I$(top_srcdir)/include -I$(top_srcdir) \
	-DBENCH_PATH='"$(pkglibexecdir)/bench:$(pkgdatadir)/bench"' \
	$(CAIRO_CFLAGS) $(JANSSON_CFLAGS) $(LUA_CFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS) \
	$(NCURSES_CFLAGS)
%C%_goad_LDFLAGS = $(LINK_FLAGS)
%C%_goad_LDADD = lib/libgoad.la $(CAIRO_LIBS) $(JANSSON_LIBS) $(LUA_LIBS) $(CRYPTO_LIBS) \
	$(ZLIB_LIBS) $(NCURSES_LIBS) -lm
%C%_goad_SOURCES = \
	%D%/bench.c \
	%D%/bench.h \
	%D%/bench_cases.c \
	%D%/bench_exec.c \
	%D%/bench_find.c \
	%D%/bench_json.c \
	%D%/bench_machine.c \
	%D%/bench_options.c \
	%D%/bench_stats.c \
	%D%/bench_text.c \
	%D%/main.c \
	%D%/models.c \
	%D%/models.h \
	%D%/models_json.c \
	%D%/models_measure.c \
	%D%/models_options.c \
	%D%/models_plot.c \
	%D%/models_text.c \
	%D%/models_worlds.c \
	%D%/plot.c \
	%D%/plot.h \
	%D%/plot_lanes.c \
	%D%/report_json.c \
	%D%/report_text.c \
	%D%/run.c \
	%D%/run.h \
	%D%/run_expect.c \
	%D%/run_figures.c \
	%D%/run_live.c \
	%D%/run_monitor.c \
	%D%/run_options.c \
	%D%/run_spec.c \
	%D%/run_tasks.c \
	%D%/run_timeline.c \
	%D%/scenarios/announced_block.c \
	%D%/scenarios/blocked_threads.c \
	%D%/scenarios/channel_pair.c \
	%D%/scenarios/deep_hog.c \
	%D%/scenarios/descriptor_behind_hogs.c \
	%D%/scenarios/global_queue.c \
	%D%/scenarios/libc_hog.c \
	%D%/scenarios/list.c \
	%D%/scenarios/lock_convoy.c \
	%D%/scenarios/locked_hog.c \
	%D%/scenarios/locked_victim.c \
	%D%/scenarios/mutex_hog.c \
	%D%/scenarios/mutex_sleeper.c \
	%D%/scenarios/newcomer.c \
	%D%/scenarios/reader_writer.c \
	%D%/scenarios/ready_pair.c \
	%D%/scenarios/spawn_chain.c \
	%D%/scenarios/spin_flag.c \
	%D%/scenarios/spin_hog.c \
	%D%/scenarios/timer_behind_hogs.c \
	%D%/scenarios/tls_hog.c \
	%D%/scenarios/try_loop.c \
	%D%/scenarios/weights.c \
	%D%/scenarios/woken_late.c \
	%D%/starve.c \
	%D%/starve.h \
	%D%/starve_child.c \
	%D%/starve_files.c \
	%D%/starve_json.c \
	%D%/starve_kit.c \
	%D%/starve_options.c \
	%D%/starve_options.h \
	%D%/starve_symbol.c \
	%D%/starve_tap.c \
	%D%/starve_text.c \
	%D%/starve_trace.c \
	%D%/tool.h \
	%D%/top.c \
	%D%/top.h \
	%D%/top_read.c \
	%D%/top_screen.c \
	%D%/top_text.c \
	%D%/trace.c \
	%D%/trace.h \
	%D%/trace_convert.c \
	%D%/trace_merge.c \
	%D%/trace_model.c \
	%D%/trace_plot.c \
	%D%/trace_read.c \
	%D%/trace_read.h \
	%D%/trace_record.c \
	%D%/trace_show.c \
	%D%/trace_split.c \
	%D%/trace_split.h \
	%D%/trace_summary.c \
	%D%/trace_symbols.c \
	%D%/util.h \
	%D%/util_args.c \
	%D%/util_json.c \
	%D%/util_json.h \
	%D%/util_moment.c \
	%D%/util_text.c \
	%D%/util_time.c \
	%D%/util_word.c \
	%D%/work_block.c \
	%D%/work_cpu.c \
	%D%/work_deflate.c \
	%D%/work_echo.c \
	%D%/work_files.c \
	%D%/work_files.h \
	%D%/work_lua.c \
	%D%/work_sha256.c \
	%D%/work_so.c \
	%D%/work_tick.c

dist_noinst_SCRIPTS += \
	%D%/dev/demo \
	%D%/dev/emulated \
	%D%/dev/format \
	%D%/dev/lint \
	%D%/dev/relist \
	%D%/dev/sub-build \
	%D%/dev/tally
