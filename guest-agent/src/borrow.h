/* Whether a child may share the agent's memory until its exec. */
#ifndef PYRO_BORROW_H
#define PYRO_BORROW_H

/* A sanitizer's shadow memory cannot be borrowed: there the child gets a copy. */
#if defined(__SANITIZE_ADDRESS__)
#define BORROW_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BORROW_MEMORY 0
#endif
#endif
#if !defined(BORROW_MEMORY)
#if defined(__x86_64__)
#define BORROW_MEMORY 1
#else
#define BORROW_MEMORY 0
#endif
#endif

#if BORROW_MEMORY

#include "kernel.h"

/* clone3 of a child that runs `body`, which never returns. Without a stack in `arguments`, the child runs further down
 * the same stack, past the red zone: only for a caller that is suspended meanwhile (KERNEL_CLONE_VFORK). Returns the
 * child's pid, or -errno. */
static inline long clone_and_run(struct kernel_clone_args *arguments, void (*body)(const void *), const void *given) {
  long result = SYS_clone3;
  register void (*kept_body)(const void *) __asm__("r13") = body;
  register const void *kept __asm__("r12") = given;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "sub $256, %%rsp\n\t"
                   "and $-16, %%rsp\n\t"
                   "mov %%r12, %%rdi\n\t"
                   "call *%%r13\n\t"
                   "hlt\n"
                   "1:"
                   : "+a"(result)
                   : "D"(arguments), "S"(sizeof *arguments), "r"(kept), "r"(kept_body)
                   : "rcx", "r11", "memory", "cc");
  return result;
}

/* A system call that leaves `errno` alone, because a child beside the agent shares the agent's. Returns -errno on failure. */
static inline long quiet_syscall(long number, long a, long b, long c, long d) {
  long result = number;
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = 0;
  register long sixth __asm__("r9") = 0;
  __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth) : "rcx", "r11", "memory", "cc");
  return result;
}

#endif

#endif
