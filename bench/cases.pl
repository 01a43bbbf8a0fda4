# SPDX-License-Identifier: MIT
# cases.pl - what bench/run measures: a list of cases, each a program with options, its twins
# and the metrics shown.  The bounds are those of the design's table of speeds.
#
#	id       what is named on the command line, and printed
#	program  bench/PROGRAM.c, bench/go/PROGRAM.go, bench/pthread/PROGRAM.c
#	all      options for the program and both twins
#	goad, go, pthread  options for that one alone; undef: it has no part in this case
#	quick    the same four, added with --quick
#	warm     runs thrown away first: the first to touch much memory pays for it in the host
#	metrics  [name, bound, further bound]; a bound is a string of terms:
#	         "<=0.15go <=12": at most 0.15 of Go's figure in the same run, or where Go is
#	         missing at most 12.  A metric without bounds is shown for comparison.
use strict;
use warnings;

my @cases = (
	{
		id => 'yield-1p', program => 'yield', all => '--procs 1',
		quick => { goad => '--count 300000', go => '--count 300000', pthread => '--count 50000' },
		metrics => [['yield', '<=0.15go <=12', '<=0.1go <=8']],
	},
	{
		id => 'spawn-1p', program => 'spawn', all => '--procs 1',
		quick => { goad => '--count 200', go => '--count 200', pthread => '--count 5' },
		metrics => [['spawn_join', '<=0.4go <=60', '<=0.27go <=40']],
	},
	{
		id => 'spawn-2p', program => 'spawn', all => '--procs 2',
		quick => { goad => '--count 200', go => '--count 200', pthread => '--count 5' },
		metrics => [['spawn_join', '<=0.4go <=80', '<=0.23go <=45']],
	},
);

# Channels have no twin on kernel threads.
for my $procs (1, 2) {
	my $i = $procs - 1;
	push @cases, {
		id => "pingpong-${procs}p", program => 'pingpong', all => "--procs $procs", pthread => undef,
		quick => { goad => '--count 200000', go => '--count 200000' },
		metrics => [['round_trip', ('<=0.45go <=100', '<=0.45go <=120')[$i], ('<=50', '<=70')[$i]]],
	};
	push @cases, {
		id => "chan0-${procs}p", program => 'chan', all => "--procs $procs --shape 0", pthread => undef,
		quick => { goad => '--count 300000', go => '--count 300000' },
		metrics => [['element']],
	}, {
		id => "chan10-${procs}p", program => 'chan', all => "--procs $procs --shape 10",
		pthread => undef, quick => { goad => '--count 300000', go => '--count 300000' },
		metrics => [['element']],
	}, {
		id => "chan100-${procs}p", program => 'chan', all => "--procs $procs --shape 100",
		pthread => undef, quick => { goad => '--count 300000', go => '--count 300000' },
		metrics => [['element', ('<=0.5go <=16', '<=0.5go <=20')[$i], ('<=9', '<=12')[$i]]],
	};
}

# The bounds of a million parked coroutines are against Go's own idiom, a closed channel;
# against the same shape in Go the figures are shown only.
my @parked = (
	['rss', '<=4400', '<=4250'], ['page_tables'],
	['create', '<=0.6go <=1500', '<=0.3go'], ['wake_finish', '<=0.6go <=320', '<=0.3go'],
	['create_again'], ['wake_finish_again'],
);
for my $procs (1, 2) {
	my $quick = { goad => '--count 100000', go => '--count 100000', pthread => '--count 2000' };
	push @cases, {
		id => "parked-${procs}p", program => 'parked', all => "--procs $procs",
		goad => '--shape chain', go => '--shape close', quick => $quick, warm => 1,
		metrics => \@parked,
	};
	push @cases, {
		id => "parked-chain-${procs}p", program => 'parked', all => "--procs $procs",
		goad => '--shape chain', go => '--shape chain', pthread => undef, quick => $quick,
		warm => 1, metrics => [['create'], ['wake_finish'], ['wake_finish_again']],
	};
	push @cases, {
		id => "parked-sleep-${procs}p", program => 'parked', pthread => undef,
		all => "--procs $procs --shape sleep --count 300000",
		quick => { all => '--count 50000' }, warm => 1,
		metrics => [['wake_finish']],
	};
}

# Go's quantum is fixed, so its twin has a part at 10 ms only.
for my $quantum ('10ms', '1ms', '300us') {
	my @bound = $quantum eq '300us' ? () : ('<=5');
	push @cases, {
		id => "quantum-$quantum", program => 'quantum', all => '',
		goad => "--quantum $quantum",
		go => $quantum eq '10ms' ? '' : undef, pthread => $quantum eq '10ms' ? '' : undef,
		quick => { all => '--time 500ms' },
		metrics => [['slice_mean'], ['slice_error', @bound], ['slice_p99'], ['slice_max'],
			['slices'], ['least_turns']],
	};
}

push @cases, {
	id => 'fairness-2p', program => 'fairness', all => '--procs 2 --hogs 8 --time 3s',
	quick => { all => '--time 1s' },
	metrics => [['jain', '>=0.999'], ['min_share', '>=0.97'], ['work']],
};

my %cost = (
	yield   => { '10ms' => 0.3, '1ms' => 1.5, '300us' => 5 },
	handoff => { '10ms' => 0.5, '1ms' => 3,   '300us' => 10 },
);
for my $procs (1, 2) {
	for my $mode ('yield', 'handoff', 'auto') {
		for my $quantum ('10ms', '1ms', '300us') {
			my $bound = $cost{$mode}{$quantum};
			my $twins = $mode eq 'yield' && $quantum eq '10ms' ? '' : undef;
			next if $procs == 2 && $mode eq 'auto';
			push @cases, {
				id => "preempt-$mode-$quantum-${procs}p", program => 'preempt',
				all => "--procs $procs", goad => "--preempt $mode --quantum $quantum",
				go => $twins, pthread => $twins,
				quick => { all => '--count 3 --time 100ms' },
				metrics => [
					['cost', $bound ? ("<=$bound", '<=' . $bound / 2) : ()],
					['cost_cpu'], ['cost_each'], ['yielded'], ['handed_off'], ['deferred'],
				],
			};
		}
	}
}

for my $hogs (2, 4) {
	push @cases, {
		id => "tick-2p-$hogs", program => 'tick', all => "--procs 2 --hogs $hogs",
		quick => { all => '--time 500ms' },
		metrics => [
			['late_p50', '<=0.1', '<=0.035'], ['late_p99', '<=0.5', '<=0.1'],
			['late_max', '<=5', '<=1'], ['ticks'],
		],
	};
}

push @cases, {
	id => 'bimodal-2p', program => 'bimodal', all => '--procs 2',
	quick => { all => '--time 500ms' },
	metrics => [
		['short_p50', '<=0.2', '<=0.05'], ['short_p99', '<=2', '<=0.6'],
		['short_p999', '<=4', '<=1'], ['short_max'], ['long_p50'], ['long_p99'],
	],
};

push @cases, {
	id => 'endless-1p', program => 'endless', all => '--procs 1',
	quick => { all => '--count 10' },
	metrics => [['first_run_p50', '<=10.2', '<=0.3'], ['first_run_max', '<=12', '<=1']],
}, {
	id => 'tick-2p', program => 'tick', all => '--procs 2 --hogs 8',
	quick => { all => '--time 500ms' },
	metrics => [
		['late_p50', '<=0.1', '<=0.035'], ['late_p99', '<=0.5', '<=0.1'],
		['late_max', '<=5', '<=1'], ['ticks'],
	],
}, {
	id => 'tick-idle', program => 'tick', all => '--procs 2 --hogs 0',
	quick => { all => '--time 500ms' },
	metrics => [['late_p50'], ['late_p99'], ['late_max']],
}, {
	id => 'blocked-2p', program => 'blocked', all => '--procs 2 --hogs 4',
	quick => { all => '--time 500ms' },
	metrics => [['read_p50'], ['read_p99'], ['resume_p50'], ['resume_p99'], ['work']],
};

for my $procs (1, 2) {
	push @cases, {
		id => "timer-${procs}p", program => 'timer', all => "--procs $procs",
		pthread => '--count 1000', warm => 1,
		quick => { goad => '--count 100000', go => '--count 100000' },
		metrics => [['start'], ['start_stop'], ['stop'], ['start_fire']],
	};
}
# Go's round trip is 171 ms beside 8 hogs; the aims are absolute there.
for my $hogs (0, 2, 8) {
	my @bound = $hogs == 8 ? ('<=500', '<=100') : ();
	push @cases, {
		id => "echo-$hogs", program => 'echo', all => "--procs 2 --hogs $hogs",
		quick => { all => '--time 500ms' },
		metrics => [['trip_p50', @bound], ['trip_p99'], ['trips']],
	};
}
push @cases, {
	id => 'idleconn', program => 'idleconn', all => '--procs 2', warm => 1,
	quick => { all => '--count 1000' },
	metrics => [['rss'], ['page_tables'], ['hang_up'], ['connections']],
};

@cases;
