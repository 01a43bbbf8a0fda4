# SPDX-License-Identifier: MIT
# Manual pages, and the design told at length.  tools/dev/relist writes the lists.
# relist: from here
dist_man_MANS += \
	%D%/man/goad-run.1 \
	%D%/man/goad.1
EXTRA_DIST += \
	%D%/design/benchmarks.md \
	%D%/design/sysmon.md
# relist: to here
