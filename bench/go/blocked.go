// SPDX-License-Identifier: MIT

// The twin of blocked.c: goroutines in a plain read(2) beside goroutines that compute.  Go
// takes a goroutine back when the system call returns, so both figures are one.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

const block = 8192
const pause = 4 * time.Millisecond

//go:noinline
func spin(x uint64, n int) uint64 {
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

func hog(n *uint64, deadline time.Time) {
	x := uint64(88172645463325252)
	for time.Now().Before(deadline) {
		x = spin(x, block)
		*n++
	}
}

var start = time.Now()

func readOn(fd int, late *[]float64) {
	var b [8]byte
	for {
		n, err := syscall.Read(fd, b[:])
		sent := binary.LittleEndian.Uint64(b[:])
		if n != 8 || err != nil || sent == 0 {
			return
		}
		*late = append(*late, float64(uint64(time.Since(start))-sent)/1e6)
	}
}

// A kernel thread of its own, so that it is on time as the thread outside is in C.
func write(ends [][2]int, deadline time.Time) {
	var b [8]byte
	runtime.LockOSThread()
	for i := 0; time.Now().Before(deadline); i++ {
		binary.LittleEndian.PutUint64(b[:], uint64(time.Since(start)))
		syscall.Write(ends[i%len(ends)][1], b[:])
		ts := syscall.NsecToTimespec(int64(pause))
		syscall.Nanosleep(&ts, nil)
	}
	for _, e := range ends {
		syscall.Write(e[1], make([]byte, 8))
	}
}

func main() {
	procs := flag.Int("procs", 2, "")
	hogs := flag.Int("hogs", 4, "")
	length := flag.Duration("time", 2*time.Second, "")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	ends := make([][2]int, *procs)
	late := make([][]float64, *procs)
	work := make([]uint64, *hogs*16)
	deadline := time.Now().Add(*length)
	var wg sync.WaitGroup
	wg.Add(*procs + *hogs)
	for i := range ends {
		var p [2]int
		if syscall.Pipe(p[:]) != nil {
			return
		}
		ends[i] = p
		go func(i int) {
			readOn(ends[i][0], &late[i])
			wg.Done()
		}(i)
	}
	for i := 0; i < *hogs; i++ {
		go func(n *uint64) {
			hog(n, deadline)
			wg.Done()
		}(&work[i*16])
	}
	write(ends, deadline)
	wg.Wait()
	var all []float64
	for _, l := range late {
		all = append(all, l...)
	}
	sort.Float64s(all)
	at := func(q float64) float64 { return all[int(math.Ceil(q*float64(len(all))))-1] }
	var sum uint64
	for _, n := range work {
		sum += n
	}
	fmt.Printf("read_p50 %.6g ms\n", at(0.5))
	fmt.Printf("read_p99 %.6g ms\n", at(0.99))
	fmt.Printf("resume_p50 %.6g ms\n", at(0.5))
	fmt.Printf("resume_p99 %.6g ms\n", at(0.99))
	fmt.Printf("work %.6g blocks/s\n", float64(sum)/length.Seconds())
}
