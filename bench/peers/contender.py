"""The protocol of ../protocol.ts for contenders written in Python, and the choice of their number of threads."""
import json
import statistics
import sys
import time


def serve(prepare, threads_used=lambda: None):
    """prepare(workload, threads) gives a step, or says in a few words why it cannot."""
    step = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if 'prepare' in request:
                step = prepare(request['prepare'], request['threads'])
                if isinstance(step, str):
                    reply = {'cannot': step}
                else:
                    warm_up(step)
                    reply = {'ready': True, 'threads': threads_used() or request['threads']}
            else:
                reply = {'times': turn(step, **request['run'])}
        except Exception as error:
            reply = {'cannot': str(error).split('\n')[0]}
        print(json.dumps(reply), flush=True)


def warm_up(step, seconds=0.5):
    stop = time.perf_counter() + seconds
    while True:
        step()
        if time.perf_counter() >= stop:
            return


def turn(step, ms, least, most):
    times = []
    begin = time.perf_counter()
    while True:
        start = time.perf_counter()
        step()
        end = time.perf_counter()
        times.append((end - start) * 1000)
        spent = (end - begin) * 1000
        if len(times) >= most or (spent >= ms and (len(times) >= least or spent >= 20 * ms)):
            return times


def gemm_sizes(workload):
    """GEMM_512 or GEMM_256x784x128 (m, k, n)."""
    sizes = [int(part) for part in workload[len('GEMM_'):].split('x')]
    return sizes * 3 if len(sizes) == 1 else sizes


def better_threads(step, threads, set_threads):
    """1 or all threads, whichever has the smaller median; they take turns, for a neighbour may be busy meanwhile."""
    times = {count: [] for count in {1, threads}}
    for _ in range(3 if threads > 1 else 0):
        for count in times:
            set_threads(count)
            step()
            times[count] += turn(step, ms=100, least=3, most=3000)
    best = min(times, key=lambda count: statistics.median(times[count] or [0]))
    set_threads(best)
    return best
