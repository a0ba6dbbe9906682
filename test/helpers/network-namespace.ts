import { closeSync, openSync } from 'node:fs';
import { enterNetworkNamespace, makeNetworkNamespace } from './libc-network.js';

const own = '/proc/thread-self/ns/net';

/** A network namespace that lives until it is closed and nothing runs in it. */
export interface NetworkNamespace extends Disposable {
  readonly fd: number;
  /** Does synchronous work with the main thread in the namespace: netlink, /proc/sys/net, spawning processes. */
  run<T>(work: () => T): T;
  /** Moves the main thread into the namespace; returns the way back. */
  enter(): () => void;
}

export function createNetworkNamespace(): NetworkNamespace {
  const before = openSync(own, 'r');
  try {
    makeNetworkNamespace();
    const fd = openSync(own, 'r');
    enterNetworkNamespace(before);
    return opened(fd);
  } finally {
    closeSync(before);
  }
}

function opened(fd: number): NetworkNamespace {
  let close: () => void = () => closeSync(fd);
  return {
    fd,
    run: (work) => within(fd, work),
    enter: () => enter(fd),
    [Symbol.dispose]: () => {
      close();
      close = () => undefined;
    },
  };
}

function within<T>(fd: number, work: () => T): T {
  const leave = enter(fd);
  try {
    return work();
  } finally {
    leave();
  }
}

function enter(fd: number): () => void {
  const before = openSync(own, 'r');
  enterNetworkNamespace(fd);
  return () => {
    enterNetworkNamespace(before);
    closeSync(before);
  };
}
