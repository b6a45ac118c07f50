/**
 * What a container has used, as Docker's API tells it (docker-api-v1.50.yaml, ContainerStatsResponse): the
 * names are that API's.
 */

export interface BlockEntry {
  readonly major: number
  readonly minor: number
  /** `Read` and so on as v1 writes them, `read` and `write` on cgroup2. */
  readonly op: string
  readonly value: number
}

/** Nanoseconds. */
export interface CpuUsage {
  readonly total_usage: number
  /** v1 only. */
  readonly percpu_usage?: ReadonlyArray<number>
  readonly usage_in_kernelmode: number
  readonly usage_in_usermode: number
}

export interface CpuStats {
  readonly cpu_usage: CpuUsage
  /** Nanoseconds of all CPUs of the host, idle ones too. */
  readonly system_cpu_usage: number
  readonly online_cpus: number
  readonly throttling_data: {
    readonly periods: number
    readonly throttled_periods: number
    /** Nanoseconds. */
    readonly throttled_time: number
  }
}

export interface MemoryStats {
  /** Bytes. */
  readonly usage?: number
  /** v1 only. */
  readonly max_usage?: number
  readonly stats?: { readonly [field: string]: number }
  /** v1: memory.failcnt. cgroup2: times that the limit was the reason of an OOM. */
  readonly failcnt?: number
  /** Bytes; the host's memory where there is no smaller limit. */
  readonly limit?: number
}

export interface BlockStats {
  readonly io_service_bytes_recursive: ReadonlyArray<BlockEntry> | null
  /** v1 only, like all that follow; the last six have been gone from the kernel since CFQ went. */
  readonly io_serviced_recursive: ReadonlyArray<BlockEntry> | null
  readonly io_queue_recursive: null
  readonly io_service_time_recursive: null
  readonly io_wait_time_recursive: null
  readonly io_merged_recursive: null
  readonly io_time_recursive: null
  readonly sectors_recursive: null
}

/**
 * Counters are JavaScript numbers: exact to 2⁵³, i.e. 104 days of CPU time in nanoseconds, and beyond that
 * to one part in 10¹⁵.
 */
export interface Stats {
  readonly cpu_stats: CpuStats
  readonly memory_stats: MemoryStats
  /** `limit` 0: unlimited. */
  readonly pids_stats: { readonly current?: number; readonly limit?: number }
  readonly blkio_stats: BlockStats
  /** Windows only, and so always these. */
  readonly num_procs: 0
  readonly storage_stats: { readonly [field: string]: never }
}
