// Where the person is in a picture: MediaPipe's selfie segmentation, brought from npm when Housecall is built (vendor.json).

const HERE = new URL("./vendor/selfie_segmentation/", import.meta.url).href;
const LANDSCAPE = 1; // the smaller one of its two models

export class Person {
  // The model, once it has looked at a first picture: that takes longest.
  static async begin(host) {
    if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser draws no WebGL, or no more of it");
    await host.trust();
    try {
      await script(`${HERE}selfie_segmentation.js`);
      const model = new SelfieSegmentation({ locateFile });
      model.setOptions({ modelSelection: LANDSCAPE });
      const person = new Person(model), blank = Object.assign(document.createElement("canvas"), { width: 256, height: 144 });
      blank.getContext("2d");
      await person.find(blank);
      return person;
    } finally {
      for (const element of document.querySelectorAll(`script[src^="${HERE}"]`)) element.remove();
    }
  }
  constructor(model) {
    this.model = model;
    this.mask = document.createElement("canvas");
    this.pen = this.mask.getContext("2d");
    model.onResults(({ segmentationMask: found }) => {
      Object.assign(this.mask, { width: found.width, height: found.height });
      this.pen.drawImage(found, 0, 0);
    });
  }
  async find(picture) {
    await this.model.send({ image: picture });
    return this.mask;
  }
  close() { Promise.resolve(this.model.close()).catch(() => {}); }
}

function locateFile(name) {
  const options = globalThis.createMediapipeSolutionsPackedAssets; // made just before; what it would report as warnings is none
  if (options) options.printErr = words => console.debug(words);
  return `${HERE}${name}`;
}

// Its own way of being loaded is that of a script, which says its name to the whole page.
function script(src) {
  if (globalThis.SelfieSegmentation) return;
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.onload = resolve;
    element.onerror = () => reject(new Error("its model was not loaded"));
    element.src = src;
    document.head.append(element);
  });
}
