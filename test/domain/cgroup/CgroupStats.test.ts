import { describe, expect, it } from "vitest"
import { parseLayout } from "../../../src/domain/cgroup/CgroupLayout.ts"
import { display, parseStats, type Stats, statsFiles, type StatsTexts } from "../../../src/domain/cgroup/CgroupStats.ts"
import { separateHost, systemdHost, unifiedHost } from "./hosts.ts"

const path = "/fx-engine/0123abc"
const separate = parseLayout(separateHost)
const unified = parseLayout(unifiedHost)

/** Read on real kernels after a program had written and read 8 MiB past the page cache. */
const legacyTexts: StatsTexts = {
  "/sys/fs/cgroup/cpu/fx-engine/0123abc/cpu.stat":
    "nr_periods 10\nnr_throttled 3\nthrottled_time 250000000\nnr_bursts 0\nburst_time 0\n",
  "/sys/fs/cgroup/cpuacct/fx-engine/0123abc/cpuacct.usage": "35985142\n",
  "/sys/fs/cgroup/cpuacct/fx-engine/0123abc/cpuacct.usage_percpu": "10058768 25926374 \n",
  "/sys/fs/cgroup/cpuacct/fx-engine/0123abc/cpuacct.stat": "user 1\nsystem 4\n",
  "/sys/fs/cgroup/memory/fx-engine/0123abc/memory.usage_in_bytes": "827392\n",
  "/sys/fs/cgroup/memory/fx-engine/0123abc/memory.max_usage_in_bytes": "1826816\n",
  "/sys/fs/cgroup/memory/fx-engine/0123abc/memory.failcnt": "2\n",
  "/sys/fs/cgroup/memory/fx-engine/0123abc/memory.limit_in_bytes": "9223372036854771712\n",
  "/sys/fs/cgroup/memory/fx-engine/0123abc/memory.stat":
    "cache 225280\nrss 118784\ninactive_file 0\ntotal_inactive_file 4096\ntotal_cache 225280\n",
  "/sys/fs/cgroup/pids/fx-engine/0123abc/pids.current": "2\n",
  "/sys/fs/cgroup/pids/fx-engine/0123abc/pids.max": "max\n",
  "/sys/fs/cgroup/blkio/fx-engine/0123abc/blkio.throttle.io_service_bytes_recursive":
    "254:0 Read 8605696\n254:0 Write 8388608\n254:0 Sync 16994304\n254:0 Async 0\n254:0 Discard 0\n254:0 Total 16994304\nTotal 16994304\n",
  "/sys/fs/cgroup/blkio/fx-engine/0123abc/blkio.throttle.io_serviced_recursive": "254:0 Read 49\n254:0 Total 65\nTotal 65\n"
}

const unifiedTexts: StatsTexts = {
  "/sys/fs/cgroup/fx-engine/0123abc/cpu.stat":
    "usage_usec 467982\nuser_usec 47998\nsystem_usec 419984\nnice_usec 0\nnr_periods 7\nnr_throttled 1\nthrottled_usec 1500\n",
  "/sys/fs/cgroup/fx-engine/0123abc/memory.current": "847872\n",
  "/sys/fs/cgroup/fx-engine/0123abc/memory.max": "67108864\n",
  "/sys/fs/cgroup/fx-engine/0123abc/memory.events": "low 0\nhigh 0\nmax 9\noom 4\noom_kill 1\noom_group_kill 0\n",
  "/sys/fs/cgroup/fx-engine/0123abc/memory.stat": "anon 118784\nfile 372736\ninactive_file 245760\nactive_file 126976\n",
  "/sys/fs/cgroup/fx-engine/0123abc/pids.current": "2\n",
  "/sys/fs/cgroup/fx-engine/0123abc/pids.max": "33\n",
  "/sys/fs/cgroup/fx-engine/0123abc/io.stat":
    "254:0 rbytes=8392704 wbytes=8491008 rios=9 wios=33 dbytes=0 dios=0\n254:16 \n7:0 rbytes=1 wbytes=2\n"
}

const host = {
  procStat: "cpu  135161 0 62483 339546 864 0 1188 5 6 7\ncpu0 65342 0 30819 172689 199 0 568 0 0 0\n" +
    "cpu1 69819 0 31664 166856 664 0 620 0 0 0\nintr 1\n",
  memoryTotal: 25_276_252_160
}

describe("statistics on v1", () => {
  const stats = parseStats(separate, path, legacyTexts, host)

  it("count CPU time in nanoseconds, with the ticks of user and system turned into them", () => {
    expect(stats.cpu_stats).toEqual({
      cpu_usage: {
        total_usage: 35_985_142, percpu_usage: [10_058_768, 25_926_374], usage_in_kernelmode: 40_000_000,
        usage_in_usermode: 10_000_000
      },
      system_cpu_usage: (135_161 + 62_483 + 339_546 + 864 + 1188) * 10_000_000,
      online_cpus: 2,
      throttling_data: { periods: 10, throttled_periods: 3, throttled_time: 250_000_000 }
    })
  })

  it("limit memory by the host's where the cgroup does not", () => {
    expect(stats.memory_stats).toEqual({
      usage: 827_392, max_usage: 1_826_816, failcnt: 2, limit: 25_276_252_160,
      stats: { cache: 225_280, rss: 118_784, inactive_file: 0, total_inactive_file: 4096, total_cache: 225_280 }
    })
  })

  it("list block I/O of each device and drop the sum of all", () => {
    expect(stats.blkio_stats.io_service_bytes_recursive?.map(({ op, value }) => `${op} ${value}`)).toEqual([
      "Read 8605696", "Write 8388608", "Sync 16994304", "Async 0", "Discard 0", "Total 16994304"
    ])
    expect(stats.blkio_stats.io_serviced_recursive?.[0]).toEqual({ major: 254, minor: 0, op: "Read", value: 49 })
    expect(stats.blkio_stats.io_queue_recursive).toBeNull()
  })

  it("say 0 for an unlimited number of processes", () => {
    expect(stats.pids_stats).toEqual({ current: 2, limit: 0 })
  })
})

describe("statistics on cgroup2", () => {
  const stats = parseStats(unified, path, unifiedTexts, host)

  it("turn microseconds into nanoseconds, and know no CPU apart", () => {
    expect(stats.cpu_stats.cpu_usage).toEqual({
      total_usage: 467_982_000, usage_in_kernelmode: 419_984_000, usage_in_usermode: 47_998_000
    })
    expect(stats.cpu_stats.throttling_data).toEqual({ periods: 7, throttled_periods: 1, throttled_time: 1_500_000 })
  })

  it("have the fields of memory that the API describes for it", () => {
    expect(stats.memory_stats).toEqual({
      usage: 847_872, limit: 67_108_864, failcnt: 4,
      stats: { anon: 118_784, file: 372_736, inactive_file: 245_760, active_file: 126_976 }
    })
    expect(stats.pids_stats).toEqual({ current: 2, limit: 33 })
  })

  it("have bytes read and written of each device that was used, and null for the rest", () => {
    expect(stats.blkio_stats).toEqual({
      io_service_bytes_recursive: [
        { major: 254, minor: 0, op: "read", value: 8_392_704 }, { major: 254, minor: 0, op: "write", value: 8_491_008 },
        { major: 7, minor: 0, op: "read", value: 1 }, { major: 7, minor: 0, op: "write", value: 2 }
      ],
      io_serviced_recursive: null, io_queue_recursive: null, io_service_time_recursive: null, io_wait_time_recursive: null,
      io_merged_recursive: null, io_time_recursive: null, sectors_recursive: null
    })
  })
})

describe("the files of statistics", () => {
  const names = (layout: typeof separate) => statsFiles(layout, path).flatMap(({ directory, files }) => files.map((file) => `${directory}/${file}`))

  it("are those that the record is read from", () => {
    expect(names(separate).toSorted()).toEqual(Object.keys(legacyTexts).toSorted())
    expect(names(unified).toSorted()).toEqual(Object.keys(unifiedTexts).toSorted())
  })

  it("are asked for once in a directory that several controllers share", () => {
    const directories = statsFiles(parseLayout(systemdHost), path).map(({ directory }) => directory)
    expect(new Set(directories).size).toBe(directories.length)
    expect(statsFiles(unified, path)).toHaveLength(1)
  })

  it("may all be missing, as of a container that does not run", () => {
    for (const layout of [separate, unified]) {
      const stats = parseStats(layout, path, {}, { procStat: "", memoryTotal: 0 })
      expect(stats.memory_stats).toEqual({})
      expect(stats.pids_stats).toEqual({})
      expect(stats.cpu_stats.cpu_usage.total_usage).toBe(0)
      expect(display(undefined, stats)).toEqual({
        cpuPercent: 0, memoryUsage: 0, memoryLimit: 0, memoryPercent: 0, blockRead: 0, blockWrite: 0, pids: 0
      })
    }
  })
})

describe("the columns of docker stats", () => {
  const legacy = parseStats(separate, path, legacyTexts, host)
  const modern = parseStats(unified, path, unifiedTexts, host)
  const later = (stats: Stats, used: number, passed: number): Stats => ({
    ...stats,
    cpu_stats: {
      ...stats.cpu_stats,
      cpu_usage: { ...stats.cpu_stats.cpu_usage, total_usage: stats.cpu_stats.cpu_usage.total_usage + used },
      system_cpu_usage: stats.cpu_stats.system_cpu_usage + passed
    }
  })

  it("show the share of one CPU: half of two CPUs is 100 %", () => {
    expect(display(legacy, later(legacy, 1e9, 2e9)).cpuPercent).toBeCloseTo(100)
    expect(display(legacy, later(legacy, 2e9, 2e9)).cpuPercent).toBeCloseTo(200)
    expect(display(legacy, legacy).cpuPercent).toBe(0)
    expect(display(later(legacy, 1e9, 1e9), legacy).cpuPercent).toBe(0)
  })

  it("leave out cache that the kernel would give back at once, by v1's sum or cgroup2's field", () => {
    expect(display(undefined, legacy).memoryUsage).toBe(827_392 - 4096)
    expect(display(undefined, modern).memoryUsage).toBe(847_872 - 245_760)
    expect(display(undefined, modern).memoryPercent).toBeCloseTo((847_872 - 245_760) / 67_108_864 * 100)
  })

  it("add up block I/O over all devices, whatever the version calls it", () => {
    expect(display(undefined, legacy)).toMatchObject({ blockRead: 8_605_696, blockWrite: 8_388_608, pids: 2 })
    expect(display(undefined, modern)).toMatchObject({ blockRead: 8_392_705, blockWrite: 8_491_010, pids: 2 })
  })

  it("start from nothing at the first sample", () => {
    expect(display(undefined, legacy).cpuPercent).toBeCloseTo(35_985_142 / legacy.cpu_stats.system_cpu_usage * 200)
  })
})
