/* queue.c: bytes that somebody has not taken yet. */
#ifndef TSC_QUEUE_H
#define TSC_QUEUE_H

#include "base.h"

/* Mapped while it holds anything, so that an idle shim has none in memory. All zero is an empty one. */
struct tsc_queue {
    uint8_t *data;
    size_t start;
    size_t size;
    size_t capacity;
};

/* False without memory: then nothing was added. */
bool tsc_queue_add(struct tsc_queue *queue, const void *data, size_t size);
/* Forgets the first `size` bytes. */
void tsc_queue_drop(struct tsc_queue *queue, size_t size);
void tsc_queue_clear(struct tsc_queue *queue);

static inline const uint8_t *tsc_queue_front(const struct tsc_queue *queue)
{
    return queue->data + queue->start;
}

#endif
