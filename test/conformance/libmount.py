"""What crun's suite uses of libmount, for hosts without its Python binding: a table of mounts read from a mountinfo file."""
class _Fs:
    def __init__(self, fields):
        i = fields.index('-')
        self.target, self.vfs_options, self.fs_options = fields[4], fields[5], fields[i + 3] if len(fields) > i + 3 else ''
class Table:
    def __init__(self, path):
        self._all = [_Fs(l.split()) for l in open(path) if ' - ' in l]
    def find_target(self, target):
        for each in reversed(self._all):
            if each.target == target:
                return each
        return None
