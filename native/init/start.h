/*
 * The entry point of a program without a libc: calls `fx_main` with the initial stack. Included
 * once a program.
 */
#ifndef FX_START_H
#define FX_START_H

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call fx_main\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, sp\n"
        "    and sp, x0, #-16\n"
        "    bl fx_main\n");
#endif

__attribute__((noreturn, used)) void fx_main(long *stack);

#endif
