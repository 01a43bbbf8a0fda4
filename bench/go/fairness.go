// SPDX-License-Identifier: MIT

// The twin of fairness.c: eight goroutines that compute, on two Ps.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"time"
)

const block = 8192

type line struct {
	n   uint64
	pad [120]byte
}

//go:noinline
func spin(x uint64, n int) uint64 {
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func hog(l *line, deadline time.Time) {
	x := uint64(88172645463325252)
	for time.Now().Before(deadline) {
		x = spin(x, block)
		l.n++
	}
}

func main() {
	procs := flag.Int("procs", 2, "")
	hogs := flag.Int("hogs", 8, "")
	length := flag.Duration("time", 3*time.Second, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	lines := make([]line, *hogs)
	var wg sync.WaitGroup
	wg.Add(*hogs)
	deadline := time.Now().Add(*length)
	for i := range lines {
		go func(l *line) {
			hog(l, deadline)
			wg.Done()
		}(&lines[i])
	}
	wg.Wait()
	var sum, squares float64
	min := float64(lines[0].n)
	for i := range lines {
		v := float64(lines[i].n)
		sum += v
		squares += v * v
		if v < min {
			min = v
		}
	}
	n := float64(*hogs)
	fmt.Printf("jain %.6g index\n", sum*sum/(n*squares))
	fmt.Printf("min_share %.6g share\n", min*n/sum)
	fmt.Printf("work %.6g blocks/s\n", sum/length.Seconds())
}
