# SPDX-License-Identifier: MIT
# The library, floor by floor (lib/LAYERS).  Each room lists its files in its own local.mk; they
# all go into libgoad-core.la, whose hidden names the unit tests can see, and libgoad is that
# archive behind the version script.

noinst_LTLIBRARIES += %D%/libgoad-core.la
lib_LTLIBRARIES += %D%/libgoad.la

%C%_libgoad_core_la_CPPFLAGS = -include config.h -D_GNU_SOURCE -I$(top_srcdir)/lib \
	-I$(top_srcdir)/lib/arch/$(GOAD_ARCH) -I$(top_srcdir)/include -I$(top_srcdir) \
	$(UNWIND_CFLAGS) $(ZYDIS_CFLAGS)
%C%_libgoad_core_la_CFLAGS = $(AM_CFLAGS) $(LIB_CFLAGS)
%C%_libgoad_core_la_CCASFLAGS = $(AM_CCASFLAGS)
%C%_libgoad_core_la_LIBADD = $(UNWIND_LIBS) $(ZYDIS_LIBS)
%C%_libgoad_core_la_SOURCES =

%C%_libgoad_la_SOURCES =
%C%_libgoad_la_LIBADD = %D%/libgoad-core.la
%C%_libgoad_la_LDFLAGS = $(LINK_FLAGS) -version-info 0:0:0 -no-undefined
if !SANITIZED
%C%_libgoad_la_LDFLAGS += -Wl,-z,defs
endif
EXTRA_%C%_libgoad_la_DEPENDENCIES = %D%/goad.map
if VERSION_SCRIPT
%C%_libgoad_la_LDFLAGS += -Wl,--version-script=$(top_srcdir)/%D%/goad.map
endif

EXTRA_DIST += %D%/LAYERS %D%/goad.map

include lib/base/local.mk
if ARCH_X86_64
include lib/arch/x86_64/local.mk
endif
include lib/core/local.mk
include lib/sched/local.mk
include lib/preempt/local.mk
include lib/wait/local.mk
include lib/runtime/local.mk
