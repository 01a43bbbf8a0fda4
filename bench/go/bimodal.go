// SPDX-License-Identifier: MIT

// The twin of bimodal.c: short tasks among long ones, a goroutine each.
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

//go:noinline
func spin(x uint64, n int) uint64 {
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

var seed uint64 = 88172645463325252

func uniform() float64 {
	seed = spin(seed, 1)
	return (float64(seed>>11) + 0.5) / 9007199254740992.0
}

type task struct {
	due, took time.Duration
	long      bool
}

func main() {
	const short, long, share = 5e3, 5e6, 0.005
	procs := flag.Int("procs", 2, "")
	load := flag.Int("count", 70, "")
	length := flag.Duration("time", 2*time.Second, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	perNs := 0.0
	for i := 0; i < 20; i++ {
		t := time.Now()
		spin(seed, 100000)
		perNs = math.Max(perNs, 100000/float64(time.Since(t).Nanoseconds()))
	}
	every := ((1-share)*short + share*long) / (0.01 * float64(*load**procs))
	var tasks []task
	warm := 0
	for at := -every * math.Log(uniform()); at < float64(length.Nanoseconds()); at += -every * math.Log(uniform()) {
		if at < float64(length.Nanoseconds())/10 {
			warm++
		}
		tasks = append(tasks, task{due: time.Duration(at), long: uniform() < share})
	}
	var wg sync.WaitGroup
	wg.Add(len(tasks))
	start := time.Now()
	for i := range tasks {
		t := &tasks[i]
		if wait := t.due - time.Since(start); wait > 0 {
			time.Sleep(wait)
		}
		go func() {
			n := short
			if t.long {
				n = long
			}
			spin(88172645463325252, int(perNs*n))
			t.took = time.Since(start) - t.due
			wg.Done()
		}()
	}
	wg.Wait()
	var took [2][]float64
	for _, t := range tasks[warm:] {
		k := 0
		if t.long {
			k = 1
		}
		took[k] = append(took[k], float64(t.took.Nanoseconds())/1e6)
	}
	sort.Float64s(took[0])
	sort.Float64s(took[1])
	at := func(k int, q float64) float64 { return took[k][int(math.Ceil(q*float64(len(took[k]))))-1] }
	fmt.Printf("short_p50 %.6g ms\n", at(0, 0.5))
	fmt.Printf("short_p99 %.6g ms\n", at(0, 0.99))
	fmt.Printf("short_p999 %.6g ms\n", at(0, 0.999))
	fmt.Printf("short_max %.6g ms\n", at(0, 1))
	fmt.Printf("long_p50 %.6g ms\n", at(1, 0.5))
	fmt.Printf("long_p99 %.6g ms\n", at(1, 0.99))
}
