/**
 * The control block through which the threads of one pool meet: memory that is never given back, for threads may look at it
 * until the process ends. What different threads write lies in different cache lines.
 */

/** Offsets in bytes; i32 unless said otherwise. */
export const control = {
  /** Counts up with every job: what workers wait for. */
  generation: 0,

  /** 1 while the job may be joined. */
  open: 64,
  /** Threads that may take part: those with a smaller number; the others end. */
  threads: 68,
  /** i64: the job's table, see schedule.ts. */
  table: 72,
  /** i64: thread i's scratch memory lies at scratch + i · stride. */
  scratch: 80,
  /** i64 */
  stride: 88,
  /** The processor on which the main thread opened the job. */
  processor: 96,

  /** Workers that are in a job now: while this is not 0, what jobs use may not be changed or given back. */
  active: 128,

  /** Workers that sleep until the generation changes. */
  sleepers: 192,
  /** Threads that sleep in a job until a stage is done. */
  nappers: 196,
  /** Workers that have been started and have not ended. */
  alive: 200,

  /** i64: for how many ticks of the time stamp counter a thread waits awake. */
  spinTicks: 256,
  /** struct timespec: how long the main thread naps before it looks again whether workers have left a job. */
  nap: 264,
  /** struct timespec: after how long without a job a worker ends. */
  idle: 280,

  /** -1: the number of no processor. */
  noProcessor: 296,

  slots: 320,
} as const

/** One for each worker: worker i (from 1) has slot i - 1. */
export const slot = {
  /** i64: address of the control block. */
  control: 0,
  /** Its number. */
  thread: 8,
  /** 1 from when it is started until it ends: then its number is free. */
  taken: 12,
  /** i64: the C library's name for it. */
  handle: 16,

  bytes: 64,
} as const

/** As many as a process may sensibly want. */
export const mostThreads = 256
export const controlBytes = control.slots + (mostThreads - 1) * slot.bytes
