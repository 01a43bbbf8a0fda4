#!/bin/sh
# SPDX-License-Identifier: MIT
# models.sh - goad models: all is measured, and the three reports can be read.  Of the figures
# only that is judged which holds on any machine.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

expect 'help' 0 'Usage: goad models' '' models --help
expect 'an argument too many' 2 '' "'all' is one too many" models all
expect 'unknown option' 2 '' "'--quik': the nearest is '--quick'" models --quik
expect 'format' 2 '' "'xml' is unknown: the nearest is" models --format=xml
expect 'picture of another kind' 2 '' 'must end in .svg or .png' models --plot x.gif

plot=
if built cairo; then
	expect 'picture that cannot be' 2 '' "'/nonexistent/x.svg': No such" models --plot /nonexistent/x.svg
	plot='--plot models.svg'
fi
# shellcheck disable=SC2086 # two words, or none
run models --quick $plot
if test "$code" -eq 0 && ! grep -q '  ?' out; then ok 'all is measured'; else not_ok 'all is measured'; fi
if test "$(grep -c '^[A-Z].*  [0-9].*  ' out)" -eq 6; then ok 'six rows'; else not_ok 'six rows'; fi
# Whatever the machine: nothing runs beside a loop that is never left.
if grep -q '^Endless loops.* until they end ' out; then ok 'N:1 waits for loops'; else not_ok 'N:1 waits for loops'; fi
if test -n "$plot"; then
	if grep -q '<svg' models.svg && grep -q '</svg>' models.svg; then ok 'picture'; else not_ok 'picture'; fi
else
	skip 'picture' 'not built in'
fi

if perl -MJSON::PP -e 1 2>/dev/null && built json; then
	cat >check.pl <<'END'
use JSON::PP;
local $/;
my $d = decode_json (<STDIN>);
die "schema" unless $d->{schema} eq 'goad-models/1' && $d->{quick} && $d->{exit_code} == 0;
die "rows" unless join (' ', map { $_->{name} } @{ $d->{rows} }) eq 'create switch memory speedup block loop';
my %row = map { $_->{name} => $_ } @{ $d->{rows} };
for my $r (@{ $d->{rows} }) {
	die "$r->{name}: text" unless @{ $r->{text} } == 2;
	for my $m ('process', 'thread', 'n:1', 'm:n') {
		my $v = $r->{values}{$m};
		die "$r->{name}: $m" unless $v->{unbounded} || $v->{min} > 0 && $v->{min} <= $v->{median} && $v->{median} <= $v->{max};
	}
}
die "loops" unless $row{loop}{values}{'n:1'}{unbounded};
# A coroutine is dearer than a thread nowhere, and one that waits needs less memory.
for (['create', 'm:n'], ['switch', 'n:1'], ['memory', 'm:n']) {
	my $v = $row{ $_->[0] }{values};
	die "$_->[0]: $_->[1]" unless $v->{ $_->[1] }{min} < $v->{thread}{max};
}
# N:1 sleeps as long as a call does, which is 50 ms with two CPUs and less with more.
die "calls" unless $row{block}{values}{'n:1'}{median} > 80e6 / $d->{cpus};
END
	run models --quick --format=json
	if test "$code" -eq 0 && perl check.pl <out 2>err; then ok 'JSON'; else not_ok 'JSON'; fi
else
	skip 'JSON' 'no JSON::PP, or not built in'
fi
finish
