"""The models we sell, one file a family. `SPECS` is the catalogue, in the order it is shown."""
