// SPDX-License-Identifier: MIT

// The twin of tick.c: how late a sleep of 1 ms ends beside goroutines that compute.
package main

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync"
	"time"
)

const block = 8192

//go:noinline
func spin(x uint64, n int) uint64 {
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func hog(deadline time.Time) {
	x := uint64(88172645463325252)
	for time.Now().Before(deadline) {
		x = spin(x, block)
	}
}

func main() {
	procs := flag.Int("procs", 2, "")
	hogs := flag.Int("hogs", 8, "")
	length := flag.Duration("time", 2*time.Second, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	late := make([]float64, 0, int(*length/time.Millisecond)+1)
	var wg sync.WaitGroup
	wg.Add(*hogs + 1)
	deadline := time.Now().Add(*length)
	for i := 0; i < *hogs; i++ {
		go func() {
			hog(deadline)
			wg.Done()
		}()
	}
	go func() {
		defer wg.Done()
		for {
			due := time.Now().Add(time.Millisecond)
			if !due.Before(deadline) {
				return
			}
			time.Sleep(time.Millisecond)
			late = append(late, float64(time.Since(due).Nanoseconds())/1e6)
		}
	}()
	wg.Wait()
	sort.Float64s(late)
	at := func(q float64) float64 { return late[int(math.Ceil(q*float64(len(late))))-1] }
	fmt.Printf("late_p50 %.6g ms\n", at(0.5))
	fmt.Printf("late_p99 %.6g ms\n", at(0.99))
	fmt.Printf("late_max %.6g ms\n", at(1))
	fmt.Printf("ticks %d n\n", len(late))
}
