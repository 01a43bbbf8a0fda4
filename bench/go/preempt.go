// SPDX-License-Identifier: MIT

// The twin of preempt.c: what Go's preemption at its fixed quantum takes from hogs.
//
// Go cannot switch preemption off in a running process, so the program starts itself again:
// in turn with one goroutine to a P and GODEBUG=asyncpreemptoff=1, where nobody waits and no
// signal is sent, and with four to a P and the default.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"sync"
	"syscall"
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

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func compute(hogs int, length time.Duration) {
	lines := make([]line, hogs)
	var wg sync.WaitGroup
	wg.Add(hogs)
	cpu0 := cpu()
	deadline := time.Now().Add(length)
	for i := range lines {
		go func(l *line) {
			x := uint64(88172645463325252)
			for time.Now().Before(deadline) {
				x = spin(x, block)
				l.n++
			}
			wg.Done()
		}(&lines[i])
	}
	wg.Wait()
	used := cpu() - cpu0
	var blocks float64
	for i := range lines {
		blocks += float64(lines[i].n)
	}
	fmt.Println(blocks, used/blocks)
}

func child(hogs, procs int, length time.Duration, env string) (blocks, cpuEach float64) {
	cmd := exec.Command("/proc/self/exe", "-child", fmt.Sprint("-procs=", procs),
		fmt.Sprint("-hogs=", hogs), fmt.Sprint("-time=", length))
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &blocks, &cpuEach)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[(len(v)-1)/2]
}

func main() {
	procs := flag.Int("procs", 1, "")
	hogs := flag.Int("hogs", 0, "")
	count := flag.Int("count", 5, "")
	length := flag.Duration("time", 200*time.Millisecond, "")
	isChild := flag.Bool("child", false, "")
	flag.Parse()
	if *hogs == 0 {
		*hogs = 4 * *procs
	}
	if *isChild {
		runtime.GOMAXPROCS(*procs)
		compute(*hogs, *length)
		return
	}
	var cost, costCPU []float64
	for i := 0; i < *count; i++ {
		var on, off, onCPU, offCPU float64
		measure := func(preempt bool) {
			if preempt {
				on, onCPU = child(*hogs, *procs, *length, "GODEBUG=")
			} else {
				off, offCPU = child(*procs, *procs, *length, "GODEBUG=asyncpreemptoff=1")
			}
		}
		measure(i%2 == 1)
		measure(i%2 == 0)
		cost = append(cost, 100*(1-on/off))
		costCPU = append(costCPU, 100*(onCPU/offCPU-1))
	}
	fmt.Printf("cost %.6g %%\n", median(cost))
	fmt.Printf("cost_cpu %.6g %%\n", median(costCPU))
}
