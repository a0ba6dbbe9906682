/*
 * The `detached` role: a supervisor that is started by its file rather than by an idle shim. It first copies itself into
 * sealed memory and executes the copy: a container that gets hold of /proc/PID/exe can change nothing that another
 * container will execute (CVE-2019-5736).
 */
#include "base.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

static int make_memory(void)
{
    int fd = (int)syscall(SYS_memfd_create, "tscontainer-shim", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

    if (fd >= 0 || errno != EINVAL) /* EINVAL: a kernel before 6.3 */
        return fd;
    return (int)syscall(SYS_memfd_create, "tscontainer-shim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static int copy_self(void)
{
    TSC_AUTO_FD program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    TSC_AUTO_FD copy = make_memory();
    struct stat status;
    off_t offset = 0;

    if (program < 0 || copy < 0 || fstat(program, &status) < 0)
        return -1;
    while (offset < status.st_size)
        if (sendfile(copy, program, &offset, (size_t)(status.st_size - offset)) <= 0)
            return -1;
    if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return -1;
    return tsc_steal_fd(&copy);
}

int tsc_role_detached(int argc, char **argv)
{
    char *const arguments[] = { (char[]){ "tscontainer-shim" }, (char[]){ "supervise" }, NULL };
    char *const environment[] = { NULL };
    TSC_AUTO_FD copy = copy_self();

    (void)argc;
    (void)argv;
    if (copy < 0)
        return 71; /* EX_OSERR; the library sees the channel close */
    fexecve(copy, arguments, environment);
    return 71;
}
