// The dashboard.
import "./main.js";
