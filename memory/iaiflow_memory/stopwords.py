"""Words that say nothing about what a text is about."""

from __future__ import annotations

_ENGLISH_AND_VIETNAMESE = """
a about above after again against all also am an and any are aren as at be because been before
being below between both but by can cannot could couldn did didn do does doesn doing don down
during each either else ever few for from further had hadn has hasn have haven having he her
here hers herself him himself his how i if in into is isn it its itself just let ll me might
more most much must my myself no nor not now of off on once only or other our ours ourselves
out over own re s same shall she should shouldn so some such t than that the their theirs them
themselves then there these they this those through to too under until up us ve very was wasn we
were weren what when where which while who whom whose why with won would wouldn yes yet you
your yours yourself yourselves d m hey hi oh ok okay wow yeah yep

và là của có cho với các những một được trong khi đã đang sẽ thì mà này đó ở ra vào rồi cũng
như từ bị bởi nên hay hoặc nhưng vì nếu để đến lên xuống rất quá lại vẫn chỉ không ai gì nào
sao đâu thế vậy à ạ ơi nhé nhỉ tôi bạn anh chị em nó họ chúng mình ta
"""

#: In lower case. "May" and "will" stay: a month, a name.
STOPWORDS = frozenset(_ENGLISH_AND_VIETNAMESE.split())
