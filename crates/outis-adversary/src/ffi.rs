//! Raw system calls, in this processor's ways of asking for them. Whoever calls these means harm.
#![allow(unsafe_code)]

use std::{io, ptr};

/// Asks the kernel for call `number` with these arguments. For the last act of a process.
///
/// # Errors
/// What the kernel answers.
pub fn call(number: i64, arguments: [u64; 6]) -> io::Result<i64> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: none can be given: an adversary asks for anything. It does so as its last act, in a process of its own,
    // where nothing that it breaks is used afterwards.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// The same by the 32-bit door of an x86 processor, where numbers mean other calls.
#[cfg(target_arch = "x86_64")]
pub(crate) fn call_32_bit(number: u32, arguments: [u32; 3]) -> io::Result<i64> {
    let [b, c, d] = arguments;
    let answer: u64;
    // SAFETY: as above. rbx is the compiler's, so it is put aside; the kernel clobbers r8 to r11.
    unsafe {
        std::arch::asm!(
            "push rbx", "mov ebx, {b:e}", "int 0x80", "pop rbx",
            b = in(reg) b, inout("rax") u64::from(number) => answer, in("rcx") u64::from(c), in("rdx") u64::from(d),
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    // A 32-bit answer, negative for an error.
    let answer = answer as u32 as i32;
    if answer < 0 { Err(io::Error::from_raw_os_error(-answer)) } else { Ok(answer.into()) }
}

/// Reads from address 0: the process ends with a fault in memory.
pub(crate) fn crash() {
    // SAFETY: it is not; that is what it is for. Volatile, so that it is really done.
    unsafe { ptr::read_volatile(ptr::without_provenance::<u8>(8)) };
}
