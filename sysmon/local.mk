# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/blocked.c \
	%D%/fresh.c \
	%D%/internal.h \
	%D%/loop.c \
	%D%/loose.c \
	%D%/owed.c \
	%D%/slice.c \
	%D%/starve.c \
	%D%/sysmon.h
