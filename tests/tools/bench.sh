#!/bin/sh
# SPDX-License-Identifier: MIT
# bench.sh - goad bench: what it makes of figures that are known, and the real programs once.
# No time is judged here.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# A benchmark of our own: goad's program prints 10, 30, 20 in turn, its twin always 40.
mkdir -p fake/pthread fake/go
cat >fake/cases <<'END'
# a comment
about fake Figures that are known
about late One that takes too long

case fake-1
main
program fake
all --procs 1
quick goad,pthread --count 7
metric figure <=25 then <=5
metric share >=0.5

case fake-2
like fake-1
all --procs 2
go none
metric figure <=0.5go <=15

case late
program late
metric figure

case broken
program broken
metric figure
END
cat >fake/fake <<'END'
#!/bin/sh
n=$(cat turn 2>/dev/null || echo 0)
echo $((n + 1)) >turn
case $((n % 3)) in 0) v=10 ;; 1) v=30 ;; *) v=20 ;; esac
echo "$*" >>words
echo "figure $v ns"
echo "share 0.75 n"
echo "run_delay 0 ms"
END
printf '#!/bin/sh\necho "figure 40 ns"\n' >fake/pthread/fake
printf '#!/bin/sh\nexec sleep 100\n' >fake/late
printf '#!/bin/sh\necho "figure 1 ns"\nexit 3\n' >fake/broken
chmod +x fake/fake fake/late fake/broken fake/pthread/fake
GOAD_BENCH_DIR=/nonexistent:$work/fake
export GOAD_BENCH_DIR
unset GO

expect 'help' 0 'Usage: goad bench' '' bench --help
expect 'list' 0 '^fake: Figures that are known' '' bench --list
expect 'list: the main ones' 0 '^    fake-1 .main.$' '' bench --list
expect 'median and spread' 0 '^  figure +ns +20.0 \(10.0..30.0\)' '' bench --keep-noisy -r 3 --peers none fake-1
rm -f turn
expect 'figure of a peer and ratio' 0 '40.0 +0.50 \(0.25..0.75\)' '' bench --keep-noisy -r 3 --peers pthread fake-1
expect 'a share has no ratio' 0 '^  share +n +0.75 \(0.75..0.75\) +-$' '' bench --keep-noisy -r 3 --peers pthread fake-1
rm -f turn words
expect 'an aim that is reached' 0 '<= 25  reached; next <= 5' '' bench --keep-noisy -r 3 --aims --peers none fake-1
if test "$(sort -u words)" = '--procs 1'; then ok 'options'; else not_ok 'options'; fi
rm -f turn words
expect 'an aim that is not' 0 '<= 15  NOT reached' '' bench --keep-noisy -r 3 --aims --peers none fake-2
if test "$(sort -u words)" = '--procs 2'; then ok 'like'; else not_ok 'like'; fi
rm -f words
expect 'quick' 0 'of 3 repetitions' '' bench --quick --peers none fake-1
if test "$(sort -u words)" = '--procs 1 --count 7'; then ok 'quick options'; else not_ok 'quick options'; fi
run bench -r 1 --peers none
if test "$code" -eq 0 && grep -q '^fake-1' out && ! grep -q '^fake-2' out; then
	ok 'the main cases'
else
	not_ok 'the main cases'
fi
run bench -r 1 --peers none fake
if test "$code" -eq 0 && test "$(grep -c '^fake-[12]' out)" -eq 2; then
	ok 'the name of a program'
else
	not_ok 'the name of a program'
fi
expect 'too long' 99 '' 'late.*: took longer than 100 ms' bench -r 1 --timeout 100ms --peers none late
expect 'exit code' 99 '' 'broken.*: exit code 3' bench -r 1 --peers none broken

if perl -MJSON::PP -e 1 2>/dev/null && built json; then
	rm -f turn
	run bench --keep-noisy -r 3 --format=json --peers pthread fake-1
	cat >check.pl <<'END'
use JSON::PP;
local $/;
my $d = decode_json (<STDIN>);
my $c = $d->{cases}[0];
my $m = $c->{metrics}{figure};
die "schema" unless $d->{schema} eq 'goad-bench/1' && $d->{repeat} == 3 && $d->{exit_code} == 0;
die "case" unless $c->{id} eq 'fake-1' && $c->{arguments}{goad} eq '--procs 1';
die "figure" unless $m->{unit} eq 'ns' && $m->{goad}{median} == 20 && $m->{pthread}{max} == 40;
die "samples" unless join (',', map { $_ + 0 } @{ $m->{goad}{samples} }) eq '10,30,20';
die "noise" unless @{ $c->{noisy}{goad} } == 3;
die "ratio" unless $m->{ratio}{pthread}{median} == 0.5 && !defined $m->{ratio}{go};
die "go" unless !defined $m->{go};
die "aim" unless $m->{aim} eq '<=25' && $m->{next_aim} eq '<=5' && $m->{reached};
END
	if test "$code" -eq 0 && perl check.pl <out 2>err; then ok 'JSON'; else not_ok 'JSON'; fi
else
	skip 'JSON' 'no JSON::PP, or not built in'
fi

expect 'unknown name' 2 '' "unknown benchmark 'fak-1': the nearest is 'fake-1'" bench fak-1
expect 'unknown option behind a name' 2 '' "'--repat': the nearest is '--repeat'" bench fake --repat 2
expect 'unknown peer' 2 '' "'goo' is unknown: the nearest is 'go'" bench --peers goo
expect 'no repetition' 2 '' "--repeat '0' is not a number from 1" bench --repeat 0
expect 'no time' 2 '' "--timeout '5' is not a time" bench --timeout 5
expect 'format' 2 '' "'jsn' is unknown: the nearest is 'json'" bench --format=jsn
GOAD_BENCH_DIR=/nonexistent expect 'not installed' 77 '' 'not installed: .*/nonexistent' bench
echo 'case' >>fake/cases
expect 'a list that is not understood' 99 '' 'line [0-9]+ is not understood' bench --list

# The real ones: each case names programs and metrics that exist.
GOAD_BENCH_DIR=$top/bench:$src/bench
expect 'yield beside threads' 0 '^  yield +ns +[0-9.]+ +[0-9.]+ +[0-9.]' '' \
	bench --quick -r 1 --peers pthread yield-1p
lacks=
for program in $("$GOAD" bench --list | sed -n 's/^\([a-z]*\): .*/\1/p'); do
	test -x "$top/bench/$program" || lacks="$lacks $program"
done
if test -z "$lacks"; then ok 'all programs are there'; else echo "# $lacks" && not_ok 'all programs are there'; fi
# Those that are built here; the figure and the ratio stand behind goad's own.
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
mkdir cache
for peer in go boost; do
	run bench --quick -r 1 --peers $peer yield-1p
	if test "$code" -eq 0 && test -n "$(find cache -name "$peer-yield-*")"; then
		expect "yield beside $peer" 0 '^  yield +ns +[0-9.]+ +[0-9.]+ +[0-9.]' '' \
			bench --quick -r 1 --peers $peer yield-1p
	else
		skip "yield beside $peer" "it is not here, or does not build"
	fi
done
finish
