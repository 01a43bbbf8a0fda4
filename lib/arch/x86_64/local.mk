# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/arch.c \
	%D%/arch.h \
	%D%/preempt.S \
	%D%/restart.c \
	%D%/switch.S
