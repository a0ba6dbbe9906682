/* contact.c: the socket by which later processes reach a running shim. */
#ifndef TSC_CONTACT_H
#define TSC_CONTACT_H

#include "launch.h"

#include <poll.h>

#define TSC_CONTACT_POLLS (1 + TSC_MAX_CONTACTS)

void tsc_contact_polls(const struct tsc_launch *launch, struct pollfd polls[TSC_CONTACT_POLLS]);
void tsc_contact_work(struct tsc_launch *launch, const struct pollfd polls[TSC_CONTACT_POLLS], bool exited);

#endif
