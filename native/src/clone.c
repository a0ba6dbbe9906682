/*
 * clone3(2) for a child that shares our memory until it executes its program, as vfork(2) does it: nothing is copied, and
 * we stand still meanwhile. The child needs a stack of its own, on which no C library helps: it calls one function there.
 */
#include "clone.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STACK_SIZE (256u * 1024)

/* The system call, and in the child `run(argument)` in place of a return. The kernel keeps all registers used here. */
long tsc_raw_clone3(struct clone_args *args, size_t size, void (*run)(void *argument), void *argument);

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl tsc_raw_clone3\n"
        ".hidden tsc_raw_clone3\n"
        ".type tsc_raw_clone3, @function\n"
        "tsc_raw_clone3:\n"
        "    mov %rdx, %r8\n"
        "    mov %rcx, %r9\n"
        "    mov $435, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    mov %r9, %rdi\n"
        "    call *%r8\n"
        "    hlt\n"
        ".size tsc_raw_clone3, . - tsc_raw_clone3\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl tsc_raw_clone3\n"
        ".hidden tsc_raw_clone3\n"
        ".type tsc_raw_clone3, %function\n"
        "tsc_raw_clone3:\n"
        "    mov x10, x2\n"
        "    mov x11, x3\n"
        "    mov x8, #435\n"
        "    svc #0\n"
        "    cbz x0, 1f\n"
        "    ret\n"
        "1:  mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, x11\n"
        "    blr x10\n"
        "    brk #1\n"
        ".size tsc_raw_clone3, . - tsc_raw_clone3\n"
        ".section .note.GNU-stack,\"\",%progbits\n"
        ".text\n");
#else
#error "no clone3 for this architecture yet"
#endif

pid_t tsc_clone_sharing(struct clone_args *args, void (*run)(void *argument), void *argument)
{
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    long pid;

    if (stack == MAP_FAILED)
        return -1;
    args->flags |= CLONE_VM | CLONE_VFORK;
    args->stack = (uint64_t)(uintptr_t)stack;
    args->stack_size = STACK_SIZE;
    pid = tsc_raw_clone3(args, sizeof(*args), run, argument);
    munmap(stack, STACK_SIZE); /* the child has left it by now */
    errno = pid < 0 ? (int)-pid : 0;
    return pid < 0 ? -1 : (pid_t)pid;
}
