# SPDX-License-Identifier: MIT
# The benchmarks: NAME.c, its twin on kernel threads in pthread/NAME.c, and on Go in go/NAME.go.
# `make bench` builds the first and runs bench/run, which builds the twins and takes BENCH_FLAGS.
bench_goad = \
	%D%/blocked \
	%D%/bimodal \
	%D%/echo \
	%D%/chan \
	%D%/endless \
	%D%/fairness \
	%D%/idleconn \
	%D%/parked \
	%D%/pingpong \
	%D%/preempt \
	%D%/quantum \
	%D%/spawn \
	%D%/tick \
	%D%/timer \
	%D%/yield
EXTRA_PROGRAMS += $(bench_goad)
%C%_blocked_LDADD = $(BENCH)
%C%_bimodal_LDADD = $(BENCH)
%C%_echo_LDADD = $(BENCH)
%C%_chan_LDADD = $(BENCH)
%C%_endless_LDADD = $(BENCH)
%C%_fairness_LDADD = $(BENCH)
%C%_idleconn_LDADD = $(BENCH)
%C%_parked_LDADD = $(BENCH)
%C%_pingpong_LDADD = $(BENCH)
%C%_preempt_LDADD = $(BENCH)
%C%_quantum_LDADD = $(BENCH)
%C%_spawn_LDADD = $(BENCH)
%C%_tick_LDADD = $(BENCH)
%C%_timer_LDADD = $(BENCH)
%C%_yield_LDADD = $(BENCH)
BENCH = lib/libgoad.la -lm

bench: $(bench_goad)
	CC='$(CC)' $(top_srcdir)/%D%/run --builddir='$(abs_top_builddir)/%D%' $(BENCH_FLAGS)

dist_noinst_HEADERS += \
	%D%/bench.h \
	%D%/bimodal.h \
	%D%/loopback.h \
	%D%/options.h \
	%D%/runtime.h \
	%D%/samples.h \
	%D%/work.h
dist_noinst_SCRIPTS += %D%/run
EXTRA_DIST += \
	%D%/cases.pl \
	%D%/pthread/blocked.c \
	%D%/pthread/bimodal.c \
	%D%/pthread/echo.c \
	%D%/pthread/endless.c \
	%D%/pthread/fairness.c \
	%D%/pthread/idleconn.c \
	%D%/pthread/parked.c \
	%D%/pthread/preempt.c \
	%D%/pthread/quantum.c \
	%D%/pthread/spawn.c \
	%D%/pthread/tick.c \
	%D%/pthread/timer.c \
	%D%/pthread/yield.c \
	%D%/go/blocked.go \
	%D%/go/bimodal.go \
	%D%/go/echo.go \
	%D%/go/chan.go \
	%D%/go/endless.go \
	%D%/go/fairness.go \
	%D%/go/idleconn.go \
	%D%/go/parked.go \
	%D%/go/pingpong.go \
	%D%/go/preempt.go \
	%D%/go/quantum.go \
	%D%/go/spawn.go \
	%D%/go/tick.go \
	%D%/go/timer.go \
	%D%/go/yield.go
bench_twins = $(bench_goad:%D%/%=%D%/gobin/%) $(bench_goad:%D%/%=%D%/pthread/%)
CLEANFILES += $(bench_goad) $(bench_twins)
