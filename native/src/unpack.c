#include "base.h"

int tsc_role_unpack(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 1;
}
