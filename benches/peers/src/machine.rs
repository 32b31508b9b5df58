//! What was measured on, and when: a figure means nothing without it.

use std::fs;

use client_registry::clock::{Clock, SystemClock};

/// Prints the processor, the cores, the kernel, the memory, the load and the time.
pub fn print() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
            .unwrap_or_else(|| "?".into())
    };
    let processor = read("/proc/cpuinfo");
    let has = |flag: &str| field(&processor, "flags").split(' ').any(|found| found == flag);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("processor  {}{}", field(&processor, "model name"), if has("sha_ni") { ", SHA-NI" } else { "" });
    println!("cores      {cores}");
    println!("kernel     {}", read("/proc/sys/kernel/osrelease").trim());
    println!("memory     {}", field(&read("/proc/meminfo"), "MemTotal"));
    println!("load       {}", read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "));
    println!("began      {}\n", SystemClock::new().wall());
}

/// The bytes of this process that are in memory.
pub fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.expect("a system that tells what is resident in /proc/self/status") * 1024
}
