/*
 * The log of a container: records as they were read from its pipes.
 *
 *   record = u32 size · u8 stream (1 stdout, 2 stderr) · u8 zero · u16 zero · u64 time (ns since 1970) · bytes · u32 size
 *
 * The size at the end lets a reader walk backwards.
 */
#ifndef TSC_LOG_H
#define TSC_LOG_H

#include "base.h"

int tsc_log_open(const char *path, struct tsc_err *err);
/* A full disk never stops a container: what cannot be written is lost, whole records at a time. */
void tsc_log_write(int fd, int stream, const void *data, size_t size);
uint64_t tsc_now(void);

#endif
