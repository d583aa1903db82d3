@_exported import _TestSupport
