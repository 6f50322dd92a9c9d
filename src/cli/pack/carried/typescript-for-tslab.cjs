// In the place of the compiler that tslab was built with: its API, all of tslab that is in this pack, asks for the version.
"use strict";
module.exports = require("typescript");
