/**
 * The first thing to run: `npm run quickstart` puts programs of this host into an image and runs a container of it;
 * `npm run quickstart IMAGE` pulls IMAGE from its registry instead.
 */
import { Engine } from 'tscontainer';

const REPORT = `
echo "I am process $$ in my own PID namespace, and my user is $(id -un)."
echo "My host name:     $(cat /proc/sys/kernel/hostname)"
echo "My namespaces:"
for kind in mnt pid net ipc uts cgroup; do echo "  $(readlink /proc/self/ns/$kind)"; done
echo "My process 1:     $(cat /proc/1/comm)"
echo "My address:       $(tail -n 1 /etc/hosts)"
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  if [ -r $file ]; then echo "My memory limit:  $(cat $file) bytes"; fi
done
`;

const engine = await Engine.open();
try {
  const [reference] = process.argv.slice(2);
  const image =
    reference === undefined
      ? await engine.images.fromHost({ binaries: ['sh', 'cat', 'id', 'readlink', 'tail'], tag: 'quickstart' })
      : await engine.images.pull(reference, {
          onProgress: (progress) => {
            if (progress.type === 'unpacked') console.log(`layer ${progress.index + 1}/${progress.layerCount} is here`);
          },
        });
  console.log(
    `Image ${image.name}, ${Math.round(image.compressedBytes / 1e5) / 10} MB in ${image.layers.length} layers.`,
  );

  const result = await engine.run(image.id, ['sh', '-c', REPORT], { memory: '200m', pidsLimit: 50 });
  process.stdout.write(result.stdout);
  process.stderr.write(result.stderr);
  console.log(`It ran for ${result.durationMs.toFixed(1)} ms and ended with exit code ${result.exitCode}.`);
  process.exitCode = result.exitCode;
} finally {
  await engine.close();
}
