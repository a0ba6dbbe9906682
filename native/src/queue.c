#include "queue.h"

#include <string.h>
#include <sys/mman.h>

#define STEP ((size_t)64 * 1024)

static bool make_room(struct tsc_queue *queue, size_t size)
{
    size_t capacity = (queue->size + size + STEP - 1) / STEP * STEP;
    uint8_t *data;

    if (queue->start + queue->size + size <= queue->capacity)
        return true;
    if (queue->size + size <= queue->capacity) {
        memmove(queue->data, queue->data + queue->start, queue->size);
        queue->start = 0;
        return true;
    }
    data = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return false;
    if (queue->data != NULL) {
        memcpy(data, queue->data + queue->start, queue->size);
        munmap(queue->data, queue->capacity);
    }
    queue->data = data;
    queue->start = 0;
    queue->capacity = capacity;
    return true;
}

bool tsc_queue_add(struct tsc_queue *queue, const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (!make_room(queue, size))
        return false;
    memcpy(queue->data + queue->start + queue->size, data, size);
    queue->size += size;
    return true;
}

void tsc_queue_drop(struct tsc_queue *queue, size_t size)
{
    queue->start += size;
    queue->size -= size;
    if (queue->size == 0)
        tsc_queue_clear(queue);
}

void tsc_queue_clear(struct tsc_queue *queue)
{
    if (queue->data != NULL)
        munmap(queue->data, queue->capacity);
    *queue = (struct tsc_queue){ .data = NULL };
}
