# SPDX-License-Identifier: MIT
# The benchmarks, which `goad bench` runs: NAME.c, its twin on kernel threads in pthread/NAME.c,
# on Go in go/NAME.go and on Boost.Fiber in boost/NAME.cc, which are built by whoever has these.
# What is measured of them stands in `cases'.  tools/dev/relist writes the lists.
BENCH = lib/libgoad.la -lm

# relist: from here
bench_goad = \
	%D%/bimodal \
	%D%/blocked \
	%D%/chan \
	%D%/echo \
	%D%/endless \
	%D%/fairness \
	%D%/fib \
	%D%/idleconn \
	%D%/mutex \
	%D%/parked \
	%D%/pingpong \
	%D%/preempt \
	%D%/quantum \
	%D%/select \
	%D%/skynet \
	%D%/spawn \
	%D%/tick \
	%D%/timer \
	%D%/traced \
	%D%/yield
%C%_bimodal_LDADD = $(BENCH)
%C%_bimodal_LDFLAGS = $(LINK_FLAGS)
%C%_blocked_LDADD = $(BENCH)
%C%_blocked_LDFLAGS = $(LINK_FLAGS)
%C%_chan_LDADD = $(BENCH)
%C%_chan_LDFLAGS = $(LINK_FLAGS)
%C%_echo_LDADD = $(BENCH)
%C%_echo_LDFLAGS = $(LINK_FLAGS)
%C%_endless_LDADD = $(BENCH)
%C%_endless_LDFLAGS = $(LINK_FLAGS)
%C%_fairness_LDADD = $(BENCH)
%C%_fairness_LDFLAGS = $(LINK_FLAGS)
%C%_fib_LDADD = $(BENCH)
%C%_fib_LDFLAGS = $(LINK_FLAGS)
%C%_idleconn_LDADD = $(BENCH)
%C%_idleconn_LDFLAGS = $(LINK_FLAGS)
%C%_mutex_LDADD = $(BENCH)
%C%_mutex_LDFLAGS = $(LINK_FLAGS)
%C%_parked_LDADD = $(BENCH)
%C%_parked_LDFLAGS = $(LINK_FLAGS)
%C%_pingpong_LDADD = $(BENCH)
%C%_pingpong_LDFLAGS = $(LINK_FLAGS)
%C%_preempt_LDADD = $(BENCH)
%C%_preempt_LDFLAGS = $(LINK_FLAGS)
%C%_quantum_LDADD = $(BENCH)
%C%_quantum_LDFLAGS = $(LINK_FLAGS)
%C%_select_LDADD = $(BENCH)
%C%_select_LDFLAGS = $(LINK_FLAGS)
%C%_skynet_LDADD = $(BENCH)
%C%_skynet_LDFLAGS = $(LINK_FLAGS)
%C%_spawn_LDADD = $(BENCH)
%C%_spawn_LDFLAGS = $(LINK_FLAGS)
%C%_tick_LDADD = $(BENCH)
%C%_tick_LDFLAGS = $(LINK_FLAGS)
%C%_timer_LDADD = $(BENCH)
%C%_timer_LDFLAGS = $(LINK_FLAGS)
%C%_traced_LDADD = $(BENCH)
%C%_traced_LDFLAGS = $(LINK_FLAGS)
%C%_yield_LDADD = $(BENCH)
%C%_yield_LDFLAGS = $(LINK_FLAGS)
bench_pthread = \
	%D%/pthread/bimodal \
	%D%/pthread/blocked \
	%D%/pthread/echo \
	%D%/pthread/endless \
	%D%/pthread/fairness \
	%D%/pthread/idleconn \
	%D%/pthread/parked \
	%D%/pthread/preempt \
	%D%/pthread/quantum \
	%D%/pthread/spawn \
	%D%/pthread/tick \
	%D%/pthread/timer \
	%D%/pthread/yield
%C%_pthread_bimodal_LDADD = -lm
%C%_pthread_blocked_LDADD = -lm
%C%_pthread_echo_LDADD = -lm
%C%_pthread_endless_LDADD = -lm
%C%_pthread_fairness_LDADD = -lm
%C%_pthread_idleconn_LDADD = -lm
%C%_pthread_parked_LDADD = -lm
%C%_pthread_preempt_LDADD = -lm
%C%_pthread_quantum_LDADD = -lm
%C%_pthread_spawn_LDADD = -lm
%C%_pthread_tick_LDADD = -lm
%C%_pthread_timer_LDADD = -lm
%C%_pthread_yield_LDADD = -lm
bench_go = \
	%D%/go/bimodal.go \
	%D%/go/blocked.go \
	%D%/go/chan.go \
	%D%/go/echo.go \
	%D%/go/endless.go \
	%D%/go/fairness.go \
	%D%/go/fib.go \
	%D%/go/idleconn.go \
	%D%/go/mutex.go \
	%D%/go/parked.go \
	%D%/go/pingpong.go \
	%D%/go/preempt.go \
	%D%/go/quantum.go \
	%D%/go/select.go \
	%D%/go/skynet.go \
	%D%/go/spawn.go \
	%D%/go/tick.go \
	%D%/go/timer.go \
	%D%/go/yield.go
bench_boost = \
	%D%/boost/chan.cc \
	%D%/boost/pingpong.cc \
	%D%/boost/spawn.cc \
	%D%/boost/yield.cc \
	%D%/boost/fiber.hh
dist_noinst_HEADERS += \
	%D%/bench.h \
	%D%/bimodal.h \
	%D%/loopback.h \
	%D%/options.h \
	%D%/runtime.h \
	%D%/samples.h \
	%D%/slices.h \
	%D%/work.h
# relist: to here

if BUILD_PROGRAM
goadbenchdir = $(pkglibexecdir)/bench
goadbench_PROGRAMS = $(bench_goad)
pthreadbenchdir = $(pkglibexecdir)/bench/pthread
pthreadbench_PROGRAMS = $(bench_pthread)
benchdatadir = $(pkgdatadir)/bench
dist_benchdata_DATA = %D%/cases
gobenchdir = $(pkgdatadir)/bench/go
dist_gobench_DATA = $(bench_go)
boostbenchdir = $(pkgdatadir)/bench/boost
dist_boostbench_DATA = $(bench_boost)
endif

# BENCH_FLAGS are options and names for `goad bench`.
bench: all
	GOAD_BENCH_DIR='$(abs_top_builddir)/%D%:$(abs_top_srcdir)/%D%' tools/goad bench --aims $(BENCH_FLAGS)
