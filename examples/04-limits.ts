/**
 * Limits, and what happens at them: memory, processes, time.
 *
 *   node 04-limits.js [ROOT]
 */
import { Engine, EngineError } from 'tscontainer';

await using engine = await Engine.open({ root: process.argv[2] ?? '/var/lib/tscontainer' });
await engine.images.fromHost({ binaries: ['sh', 'sleep', 'tail', 'cat'], tag: 'host-tools-4' });

// `tail` keeps all of a file without line breaks in memory: far more than it may have.
const greedy = await engine.run('host-tools-4', ['tail', '/dev/zero'], { memory: '64m', memorySwap: '64m' });
console.log(`memory: exit code ${greedy.exitCode}, signal ${greedy.signal}, oomKilled ${greedy.oomKilled}`);

const forks = await engine.run('host-tools-4', ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait'], {
  pidsLimit: 5,
});
console.log(`processes: ${forks.stderr.includes('fork') ? 'the shell could not fork' : 'no limit was met'}`);

const limits = await engine.run('host-tools-4', ['sh', '-c', 'ulimit -n; cat /proc/self/oom_score_adj'], {
  ulimits: { nofile: { soft: 256, hard: 512 } },
  oomScoreAdj: 500,
  cpus: 0.5,
});
console.log(`open files and OOM score: ${limits.stdout.trim().split('\n').join(', ')}`);

try {
  await engine.run('host-tools-4', ['sleep', '60'], { timeoutMs: 300 });
} catch (error) {
  if (!EngineError.is(error, 'RUN_TIMEOUT')) throw error;
  console.log(`time: ended after ${error.data.timeoutMs} ms`);
}
