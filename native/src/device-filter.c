/* Devices of a cgroup v2 group: a BPF program of type CGROUP_DEVICE decides, since v2 has no file for it. */
#include "launch.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

static long bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
    return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int load(struct tsc_bytes program)
{
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof(attributes)); /* the kernel refuses what is not zero beyond the fields it knows */
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uint64_t)(uintptr_t)program.data;
    attributes.insn_cnt = program.size / (uint32_t)sizeof(struct bpf_insn);
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, "tsc_devices", sizeof("tsc_devices"));
    return (int)bpf(BPF_PROG_LOAD, &attributes);
}

/* The program goes with the group. Others above it or beside it have their say too: all must allow. */
int tsc_op_device_filter(struct tsc_launch *launch, struct tsc_reader *payload, struct tsc_err *err)
{
    const char *path = tsc_take_string(payload);
    struct tsc_bytes program = tsc_take_bytes(payload);
    union bpf_attr attributes;
    TSC_AUTO_FD group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TSC_AUTO_FD loaded = -1;

    (void)launch;
    if (group < 0)
        return tsc_fail(err, errno, "open", "%s", path);
    if (program.size == 0 || program.size % sizeof(struct bpf_insn) != 0)
        return tsc_fail(err, EINVAL, "bpf", "device program of %u bytes", program.size);
    loaded = load(program);
    if (loaded < 0)
        return tsc_fail(err, errno, "bpf", "load the device program of %s", path);
    memset(&attributes, 0, sizeof(attributes));
    attributes.target_fd = (uint32_t)group;
    attributes.attach_bpf_fd = (uint32_t)loaded;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (bpf(BPF_PROG_ATTACH, &attributes) < 0)
        return tsc_fail(err, errno, "bpf", "attach the device program to %s", path);
    return 0;
}
