// What layers and models are written with comes with them.
@_exported import Differentiation
