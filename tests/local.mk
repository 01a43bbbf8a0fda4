# SPDX-License-Identifier: MIT
# The tests.  A new one takes two lines here: its name in the list of its kind, and that it is
# linked as that kind is.  tools/dev/relist writes them.
#
#	tests/unit     rooms of the library alone: linked with lib/libgoad-core.la, whose hidden
#	               names they see
#	tests/api      what the public headers promise: linked with libgoad.la
#	tests/preempt  torture: the same, with the shared objects of tests/preempt/so, which are
#	               found in $GOAD_BUILDDIR/tests/preempt/so/.libs
#	tests/stress   short here, GOAD_STRESS=N times as long in `make check-stress`
#	tests/model    Promela models, checked by spin (tests/model/check)
#	tests/install  the installed library, its headers and goad.pc; manual pages and examples
#	tests/tools    the program, by scripts
#
# tests/driver runs each program and counts its cases.  What it gives them in the environment:
# GOAD_SRCDIR and GOAD_BUILDDIR, the tops of the two trees, absolute.

UNIT = %D%/libunit.la %D%/libharness.la lib/libgoad-core.la
API = %D%/libsupport.la %D%/libharness.la lib/libgoad.la
PREEMPT = %D%/libpreempt.la $(API) $(LUA_LIBS) $(CRYPTO_LIBS) $(ZLIB_LIBS) -lm
STRESS = $(API)

# Shared objects that tests and the demo load: never installed, hence the path.
so_flags = $(LINK_FLAGS) -module -avoid-version -shared -rpath /nowhere

# relist: from here
unit_tests = \
	%D%/unit/arch_restart \
	%D%/unit/arch_xsave \
	%D%/unit/base_small \
	%D%/unit/core_fairq \
	%D%/unit/core_ring \
	%D%/unit/core_runq \
	%D%/unit/runtime_check \
	%D%/unit/runtime_cpus \
	%D%/unit/safepoint_frames \
	%D%/unit/safepoint_modules \
	%D%/unit/sched_feedback \
	%D%/unit/stack_fault \
	%D%/unit/stack_guard \
	%D%/unit/stack_pool \
	%D%/unit/stack_trim \
	%D%/unit/sysmon_blocked \
	%D%/unit/sysmon_fresh \
	%D%/unit/sysmon_loop \
	%D%/unit/sysmon_owed \
	%D%/unit/sysmon_sim \
	%D%/unit/sysmon_slice \
	%D%/unit/sysmon_starve \
	%D%/unit/timer_heap \
	%D%/unit/timer_heaps
unit_helpers = \
	%D%/unit/safepoint_kit.c \
	%D%/unit/stack_kit.c \
	%D%/unit/sysmon_fake.c \
	%D%/unit/safepoint_kit.h \
	%D%/unit/stack_kit.h \
	%D%/unit/sysmon_fake.h
%C%_unit_arch_restart_LDADD = $(UNIT)
%C%_unit_arch_xsave_LDADD = $(UNIT)
%C%_unit_base_small_LDADD = $(UNIT)
%C%_unit_core_fairq_LDADD = $(UNIT)
%C%_unit_core_ring_LDADD = $(UNIT)
%C%_unit_core_runq_LDADD = $(UNIT)
%C%_unit_runtime_check_LDADD = $(UNIT)
%C%_unit_runtime_cpus_LDADD = $(UNIT)
%C%_unit_safepoint_frames_LDADD = $(UNIT)
%C%_unit_safepoint_modules_LDADD = $(UNIT)
%C%_unit_sched_feedback_LDADD = $(UNIT)
%C%_unit_stack_fault_LDADD = $(UNIT)
%C%_unit_stack_guard_LDADD = $(UNIT)
%C%_unit_stack_pool_LDADD = $(UNIT)
%C%_unit_stack_trim_LDADD = $(UNIT)
%C%_unit_sysmon_blocked_LDADD = $(UNIT)
%C%_unit_sysmon_fresh_LDADD = $(UNIT)
%C%_unit_sysmon_loop_LDADD = $(UNIT)
%C%_unit_sysmon_owed_LDADD = $(UNIT)
%C%_unit_sysmon_sim_LDADD = $(UNIT)
%C%_unit_sysmon_slice_LDADD = $(UNIT)
%C%_unit_sysmon_starve_LDADD = $(UNIT)
%C%_unit_timer_heap_LDADD = $(UNIT)
%C%_unit_timer_heaps_LDADD = $(UNIT)
unit_objects = \
	%D%/unit/so/code.la \
	%D%/unit/so/first.la \
	%D%/unit/so/giver.la \
	%D%/unit/so/local.la \
	%D%/unit/so/second.la
%C%_unit_so_code_la_LDFLAGS = $(so_flags)
%C%_unit_so_first_la_LDFLAGS = $(so_flags)
%C%_unit_so_giver_la_LDFLAGS = $(so_flags)
%C%_unit_so_local_la_LDFLAGS = $(so_flags)
%C%_unit_so_second_la_LDFLAGS = $(so_flags)

api_tests = \
	%D%/api/block \
	%D%/api/chan \
	%D%/api/chan_crowd \
	%D%/api/config \
	%D%/api/contract \
	%D%/api/disable \
	%D%/api/dump \
	%D%/api/dump_any \
	%D%/api/dump_end \
	%D%/api/end \
	%D%/api/everywhere \
	%D%/api/foreign \
	%D%/api/fork \
	%D%/api/io \
	%D%/api/io_close \
	%D%/api/io_tcp \
	%D%/api/life \
	%D%/api/lock_thread \
	%D%/api/many \
	%D%/api/mutex \
	%D%/api/names \
	%D%/api/owed \
	%D%/api/procs \
	%D%/api/rwlock \
	%D%/api/select \
	%D%/api/sleep \
	%D%/api/spill \
	%D%/api/stack \
	%D%/api/starve \
	%D%/api/stats \
	%D%/api/sync \
	%D%/api/tasks \
	%D%/api/threads \
	%D%/api/timer \
	%D%/api/timer_load \
	%D%/api/trace \
	%D%/api/urgent \
	%D%/api/wait_rules \
	%D%/api/weights
api_helpers = \
	%D%/api/dump_kit.c \
	%D%/api/wait_kit.c \
	%D%/api/dump_kit.h \
	%D%/api/wait_kit.h
%C%_api_block_LDADD = $(API)
%C%_api_chan_LDADD = $(API)
%C%_api_chan_crowd_LDADD = $(API)
%C%_api_config_LDADD = $(API)
%C%_api_contract_LDADD = $(API)
%C%_api_disable_LDADD = $(API)
%C%_api_dump_LDADD = $(API)
%C%_api_dump_any_LDADD = $(API)
%C%_api_dump_end_LDADD = $(API)
%C%_api_end_LDADD = $(API)
%C%_api_everywhere_LDADD = $(API)
%C%_api_foreign_LDADD = $(API)
%C%_api_fork_LDADD = $(API)
%C%_api_io_LDADD = $(API)
%C%_api_io_close_LDADD = $(API)
%C%_api_io_tcp_LDADD = $(API)
%C%_api_life_LDADD = $(API)
%C%_api_lock_thread_LDADD = $(API)
%C%_api_many_LDADD = $(API)
%C%_api_mutex_LDADD = $(API)
%C%_api_names_LDADD = $(API)
%C%_api_owed_LDADD = $(API)
%C%_api_procs_LDADD = $(API)
%C%_api_rwlock_LDADD = $(API)
%C%_api_select_LDADD = $(API)
%C%_api_sleep_LDADD = $(API)
%C%_api_spill_LDADD = $(API)
%C%_api_stack_LDADD = $(API)
%C%_api_starve_LDADD = $(API)
%C%_api_stats_LDADD = $(API)
%C%_api_sync_LDADD = $(API)
%C%_api_tasks_LDADD = $(API)
%C%_api_threads_LDADD = $(API)
%C%_api_timer_LDADD = $(API)
%C%_api_timer_load_LDADD = $(API)
%C%_api_trace_LDADD = $(API)
%C%_api_urgent_LDADD = $(API)
%C%_api_wait_rules_LDADD = $(API)
%C%_api_weights_LDADD = $(API)
api_objects =

preempt_tests = \
	%D%/preempt/blocked \
	%D%/preempt/chain \
	%D%/preempt/errno \
	%D%/preempt/fairness \
	%D%/preempt/faults \
	%D%/preempt/feedback \
	%D%/preempt/loop \
	%D%/preempt/modes \
	%D%/preempt/quantum \
	%D%/preempt/signals \
	%D%/preempt/torture_asm \
	%D%/preempt/torture_crypto \
	%D%/preempt/torture_deep \
	%D%/preempt/torture_dl \
	%D%/preempt/torture_errno \
	%D%/preempt/torture_fpu \
	%D%/preempt/torture_lua \
	%D%/preempt/torture_malloc \
	%D%/preempt/torture_pkey \
	%D%/preempt/torture_qsort \
	%D%/preempt/torture_regex \
	%D%/preempt/torture_stdio \
	%D%/preempt/torture_tls \
	%D%/preempt/torture_vector \
	%D%/preempt/torture_zlib
preempt_helpers = \
	%D%/preempt/stuck.c \
	%D%/preempt/torture.c \
	%D%/preempt/so/path.c \
	%D%/preempt/so/so.h \
	%D%/preempt/stuck.h \
	%D%/preempt/torture.h \
	%D%/preempt/torture_cxx.h
%C%_preempt_blocked_LDADD = $(PREEMPT)
%C%_preempt_chain_LDADD = $(PREEMPT)
%C%_preempt_errno_LDADD = $(PREEMPT)
%C%_preempt_fairness_LDADD = $(PREEMPT)
%C%_preempt_faults_LDADD = $(PREEMPT)
%C%_preempt_feedback_LDADD = $(PREEMPT)
%C%_preempt_loop_LDADD = $(PREEMPT)
%C%_preempt_modes_LDADD = $(PREEMPT)
%C%_preempt_quantum_LDADD = $(PREEMPT)
%C%_preempt_signals_LDADD = $(PREEMPT)
%C%_preempt_torture_asm_LDADD = $(PREEMPT)
%C%_preempt_torture_crypto_LDADD = $(PREEMPT)
%C%_preempt_torture_deep_LDADD = $(PREEMPT)
%C%_preempt_torture_dl_LDADD = $(PREEMPT)
%C%_preempt_torture_errno_LDADD = $(PREEMPT)
%C%_preempt_torture_fpu_LDADD = $(PREEMPT)
%C%_preempt_torture_lua_LDADD = $(PREEMPT)
%C%_preempt_torture_malloc_LDADD = $(PREEMPT)
%C%_preempt_torture_pkey_LDADD = $(PREEMPT)
%C%_preempt_torture_qsort_LDADD = $(PREEMPT)
%C%_preempt_torture_regex_LDADD = $(PREEMPT)
%C%_preempt_torture_stdio_LDADD = $(PREEMPT)
%C%_preempt_torture_tls_LDADD = $(PREEMPT)
%C%_preempt_torture_vector_LDADD = $(PREEMPT)
%C%_preempt_torture_zlib_LDADD = $(PREEMPT)
if HAVE_CXX
preempt_tests += \
	%D%/preempt/torture_cxx
endif
%C%_preempt_torture_cxx_SOURCES = \
	%D%/preempt/torture_cxx.c \
	%D%/preempt/torture_cxx_work.cc
%C%_preempt_torture_cxx_LDADD = $(PREEMPT)
preempt_objects = \
	%D%/preempt/so/one.la \
	%D%/preempt/so/tls.la \
	%D%/preempt/so/two.la
%C%_preempt_so_one_la_LDFLAGS = $(so_flags)
%C%_preempt_so_tls_la_LDFLAGS = $(so_flags)
%C%_preempt_so_two_la_LDFLAGS = $(so_flags)

stress_tests = \
	%D%/stress/all \
	%D%/stress/io \
	%D%/stress/linear \
	%D%/stress/mix
stress_helpers = \
	%D%/stress/stress.c \
	%D%/stress/stress.h
%C%_stress_all_LDADD = $(STRESS)
%C%_stress_io_LDADD = $(STRESS)
%C%_stress_linear_LDADD = $(STRESS)
%C%_stress_mix_LDADD = $(STRESS)
stress_objects =

EXTRA_DIST += \
	%D%/model/handoff.pml \
	%D%/model/idle.pml \
	%D%/model/mutex.pml \
	%D%/model/owed.pml \
	%D%/model/poll.pml \
	%D%/model/retake.pml \
	%D%/model/ring.pml \
	%D%/model/sample.pml \
	%D%/model/select.pml \
	%D%/model/timer.pml \
	%D%/model/top.pml \
	%D%/model/top_sleep.pml \
	%D%/model/world.pml
# relist: to here

check_LTLIBRARIES += %D%/libharness.la %D%/libsupport.la %D%/libunit.la %D%/libpreempt.la \
	$(preempt_objects) $(api_objects) $(unit_objects) $(stress_objects)
%C%_libharness_la_SOURCES = %D%/harness.c %D%/harness.h
if !PLAIN_TESTS
%C%_libharness_la_LIBADD = $(CRITERION_LIBS)
endif
%C%_libsupport_la_SOURCES = %D%/support.c %D%/support.h $(api_helpers) $(stress_helpers)
%C%_libsupport_la_LIBADD = -lm
%C%_libunit_la_SOURCES = $(unit_helpers)
%C%_libpreempt_la_SOURCES = $(preempt_helpers)

script_tests = \
	%D%/fallbacks.sh \
	%D%/install/ci \
	%D%/install/examples \
	%D%/install/manpages \
	%D%/install/staged \
	%D%/model/check \
	%D%/tools/bench.sh \
	%D%/tools/models.sh \
	%D%/tools/run.sh \
	%D%/tools/trace.sh \
	%D%/tools/starve.sh \
	%D%/tools/top.sh \
	%D%/tools/usage.sh

check_PROGRAMS += $(unit_tests) $(api_tests) $(preempt_tests) $(stress_tests)
TESTS += $(check_PROGRAMS) $(script_tests)

TEST_EXTENSIONS = .sh
LOG_DRIVER = $(SHELL) $(top_srcdir)/%D%/driver
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	GOAD_SRCDIR='$(abs_top_srcdir)'; export GOAD_SRCDIR; \
	GOAD_BUILDDIR='$(abs_top_builddir)'; export GOAD_BUILDDIR; \
	CC='$(CC)'; export CC; CXX='$(CXX)'; export CXX; MAKE='$(MAKE)'; export MAKE; \
	SAN_FLAGS='$(SAN_FLAGS)'; export SAN_FLAGS; \
	SPIN='$(SPIN)'; export SPIN; \
	TSAN_OPTIONS=suppressions=$(abs_top_srcdir)/%D%/tsan.supp:$$TSAN_OPTIONS; export TSAN_OPTIONS; \
	unset MAKEFLAGS MFLAGS MAKELEVEL;

dist_noinst_SCRIPTS += $(script_tests) %D%/model/run.sh
EXTRA_DIST += %D%/tools/lib.sh %D%/tools/top_work.c %D%/tools/trace_work.c %D%/driver %D%/tsan.supp %D%/valgrind.supp
CLEANFILES += .test-lock
