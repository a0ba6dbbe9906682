// A process that pulls an image. Arguments: engine options as JSON, the reference. Prints `ready` when its engine is open,
// and the image's id when it is there.
import { Engine, type EngineOptions } from 'tscontainer';

const [, , options = '{}', reference = ''] = process.argv;
await using engine = await Engine.open(JSON.parse(options) as EngineOptions);
console.log('ready');
const { id } = await engine.images.pull(reference);
console.log(id);
