// SPDX-License-Identifier: MIT

// The twin of quantum.c: the slices that goroutines on one P see.  Go's quantum is 10 ms and
// cannot be set; --quantum says only what to compare with.
package main

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

var (
	owner  int64
	slices []float64
	turns  []int
	epoch  = time.Now()
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

func hog(me int64, length time.Duration) {
	x := 88172645463325252 + uint64(me)
	var start, last time.Duration
	for last < length {
		x = spin(x, 512)
		now := time.Since(epoch)
		if atomic.LoadInt64(&owner) != me {
			turns[me-1]++
			if last > start {
				slices = append(slices, float64(last-start)/1e3)
			}
			atomic.StoreInt64(&owner, me)
			now = time.Since(epoch)
			start = now
		}
		last = now
	}
}

func quantile(q float64) float64 {
	if len(slices) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(slices)))) - 1
	if rank < 0 {
		rank = 0
	}
	return slices[rank]
}

func main() {
	flag.Int("procs", 1, "")
	hogs := flag.Int("hogs", 3, "")
	length := flag.Duration("time", 2*time.Second, "")
	quantum := flag.Duration("quantum", 10*time.Millisecond, "")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	slices = make([]float64, 0, 1<<20)
	turns = make([]int, *hogs)
	epoch = time.Now()
	var wg sync.WaitGroup
	wg.Add(*hogs)
	for i := 1; i <= *hogs; i++ {
		go func(me int64) {
			hog(me, *length)
			wg.Done()
		}(int64(i))
	}
	wg.Wait()
	sort.Float64s(slices)
	mean, asked := 0.0, float64(quantum.Nanoseconds())/1e3
	for _, v := range slices {
		mean += v / float64(len(slices))
	}
	fmt.Printf("slice_mean %.6g us\n", mean)
	fmt.Printf("slice_error %.6g %%\n", 100*math.Abs(mean/asked-1))
	fmt.Printf("slice_p50 %.6g us\n", quantile(0.5))
	fmt.Printf("slice_p99 %.6g us\n", quantile(0.99))
	fmt.Printf("slice_max %.6g us\n", quantile(1))
	fmt.Printf("slices %d n\n", len(slices))
	sort.Ints(turns)
	fmt.Printf("least_turns %d n\n", turns[0])
}
