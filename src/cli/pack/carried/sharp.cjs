// In the place of sharp, which this pack leaves out for its size.
"use strict";
module.exports = function sharp() {
  throw new Error("sharp is not in this pack, so no image can be read: use a full install (npm ci) for that");
};
